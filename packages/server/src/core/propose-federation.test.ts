import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import type { BundleObject, FederationObject } from "@bonafide/ledger";
import { ManualClock } from "@bonafide/lifetime/testing";
import { openMemoryStore } from "@bonafide/plugin-api/testing";
import type { Decide } from "../lane/registry-view.ts";
import { BY_TEST, sampleEntry } from "../lane/testing/sample-objects.ts";
import { openLedger } from "../memory/open-ledger.ts";
import type { OpenedLedger } from "../memory/opened-ledger.ts";
import { proposeBundle, proposeBundleRemoval, proposeNewBundle } from "./propose-bundle.ts";
import { proposeFetchedBundle, proposeRelationship } from "./propose-federation.ts";

const URL_OF = "https://other.org/bundle";

function bundle(sequence: bigint, source = "", keys = "[]"): BundleObject {
  return {
    kind: "bundle",
    trustDomain: "other.org",
    jwks: new TextEncoder().encode(`{"spiffe_sequence":${sequence},"keys":${keys}}`),
    sequenceNumber: sequence,
    refreshHintSeconds: 0,
    source,
  };
}

const WEB: FederationObject = {
  kind: "federation",
  trustDomain: "other.org",
  bundleEndpointUrl: URL_OF,
  profile: "https_web",
  endpointSpiffeId: "",
};
const SPIFFE: FederationObject = {
  ...WEB,
  profile: "https_spiffe",
  endpointSpiffeId: "spiffe://other.org/spire/server",
};

function fell(error: unknown): boolean {
  return isBonafideError(error, "BUNDLE_SEQUENCE_FELL");
}

function missing(error: unknown): boolean {
  return isBonafideError(error, "FEDERATION_BUNDLE_MISSING");
}

async function withLedger(act: (ledger: OpenedLedger) => Promise<void>): Promise<void> {
  const folder = mkdtempSync("/tmp/bf-fed-");
  const ledger = await openLedger(
    { store: openMemoryStore(), clock: new ManualClock() },
    { trustDomain: "example.org", serverId: "s", memoryDir: folder, version: "0.1" },
  );
  try {
    await act(ledger);
  } finally {
    await ledger[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
}

test("FED-07, FED-08 (Federation §4.2): a lower sequence is refused, none counts as newest, and an operator's bundle is replaced by the next one", async () => {
  await withLedger(async ({ lane }) => {
    const count = async (decide: Decide): Promise<number> =>
      (await lane.submit(decide, BY_TEST)).changes.length;
    const fetched = (sequence: bigint, keys?: string): Promise<number> =>
      count(proposeFetchedBundle(WEB, bundle(sequence, URL_OF, keys)));
    await count(proposeRelationship({ relationship: WEB, bundle: undefined }, "example.org"));
    assert.equal(await fetched(5n), 1);
    assert.equal(await fetched(5n), 0);
    await assert.rejects(fetched(4n), fell);
    assert.equal(await fetched(5n, "[ ]"), 1);
    assert.equal(await fetched(0n), 1);
    assert.equal(await fetched(7n), 1);
    // The other side was restored, and its operator says that this was meant.
    await assert.rejects(fetched(2n), fell);
    assert.equal(await count(proposeBundle(bundle(2n))), 1);
    assert.equal(await fetched(2n), 1);
    assert.equal(await fetched(2n), 0);
    // By another URL the relationship is another one.
    const stale = proposeFetchedBundle({ ...WEB, bundleEndpointUrl: "https://x.org/" }, bundle(9n));
    await assert.rejects(count(stale), (error) => isBonafideError(error, "FEDERATION_NOT_FOUND"));
  });
});

test("FED-28, FED-30 (Federation §5.2.2.2): an endpoint with an SVID needs the bundle that proves it, of whichever domain it is", async () => {
  await withLedger(async ({ lane }) => {
    const create = (relationship: FederationObject, first?: BundleObject): Promise<unknown> =>
      lane.submit(proposeRelationship({ relationship, bundle: first }, "example.org"), BY_TEST);
    await assert.rejects(create(SPIFFE), missing);
    await create(SPIFFE, bundle(1n));
    const elsewhere = { ...SPIFFE, trustDomain: "third.org" };
    await create({ ...elsewhere, endpointSpiffeId: "spiffe://other.org/hub" });
    const unknown = { ...SPIFFE, trustDomain: "fourth.org", endpointSpiffeId: "spiffe://x.org/a" };
    await assert.rejects(create(unknown), missing);
    await assert.rejects(create(SPIFFE), (error) => isBonafideError(error, "FEDERATION_EXISTS"));
  });
});

test("a bundle is created once, and stays as long as entries federate with its domain", async () => {
  await withLedger(async ({ lane }) => {
    await lane.submit(proposeNewBundle(bundle(1n)), BY_TEST);
    await assert.rejects(lane.submit(proposeNewBundle(bundle(2n)), BY_TEST), (error) =>
      isBonafideError(error, "BUNDLE_EXISTS"),
    );
    await lane.submit(
      () => [{ put: sampleEntry("a", { federatesWith: ["other.org", "b.org"] }) }],
      BY_TEST,
    );
    await assert.rejects(
      lane.submit(proposeBundleRemoval("other.org", "restrict"), BY_TEST),
      (error) => isBonafideError(error, "BUNDLE_IN_USE"),
    );
    const { changes } = await lane.submit(proposeBundleRemoval("other.org", "dissociate"), BY_TEST);
    assert.deepEqual(
      changes.map(({ object }) => (object?.kind === "entry" ? object.federatesWith : object)),
      [["b.org"], undefined],
    );
  });
});
