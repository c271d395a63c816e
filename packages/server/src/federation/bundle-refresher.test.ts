import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { FederationObject } from "@bonafide/ledger";
import type { LogEvent } from "@bonafide/lifetime";
import { ManualClock } from "@bonafide/lifetime/testing";
import { type MemoryStore, openMemoryStore } from "@bonafide/plugin-api/testing";
import { formatSpiffeBundle, parseTrustDomainName } from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import { BundleCache } from "../authority/bundle-cache.ts";
import { proposeRelationship, proposeRelationshipRemoval } from "../core/propose-federation.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { BY_TEST } from "../lane/testing/sample-objects.ts";
import { openLedger } from "../memory/open-ledger.ts";
import type { OpenedLedger } from "../memory/opened-ledger.ts";
import { BundleRefresher } from "./bundle-refresher.ts";
import type { Endpoint } from "./fetch-document.ts";

const OWN = "example.org";

interface Refreshing extends AsyncDisposable {
  readonly ledger: OpenedLedger;
  readonly clock: ManualClock;
  readonly bundles: BundleCache;
  readonly refresher: BundleRefresher;
  readonly events: LogEvent[];
  readonly asked: Endpoint[];
  /** Sequences of other.org's bundle as it is held. */
  held(): bigint | undefined;
}

/** A refresher whose peers are answered by a function. */
async function openRefreshing(
  answer: (endpoint: Endpoint) => string,
  store: MemoryStore = openMemoryStore(),
): Promise<Refreshing> {
  const folder = mkdtempSync("/tmp/bf-fed-");
  const clock = new ManualClock();
  const ledger = await openLedger(
    { store, clock },
    { trustDomain: OWN, serverId: "s", memoryDir: folder, version: "0.1" },
  );
  const { registry, lane } = ledger;
  const events: LogEvent[] = [];
  const asked: Endpoint[] = [];
  const log = (event: LogEvent): void => void events.push(event);
  const bundles = new BundleCache(registry, parseTrustDomainName(OWN), log);
  const refresher = new BundleRefresher({
    registry,
    lane,
    clock,
    random: { fraction: () => 0 },
    log,
    bundles,
    serverId: "s",
    fetchDocument: (endpoint) => {
      asked.push(endpoint);
      return new Promise((resolve) => {
        resolve(answer(endpoint));
      });
    },
  });
  const ending = new AbortController();
  const running = refresher.run(ending.signal);
  return {
    ledger,
    clock,
    bundles,
    refresher,
    events,
    asked,
    held: () => bundles.foreign("other.org")?.sequence,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
      assert.equal(clock.sleepers, 0);
      await ledger[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

const WEB: FederationObject = {
  kind: "federation",
  trustDomain: "other.org",
  bundleEndpointUrl: "https://other.org/bundle",
  profile: "https_web",
  endpointSpiffeId: "",
};
const other = new TestTrustDomain("other.org", { now: new ManualClock().now() });

function document(sequence: bigint, refreshHintSeconds?: number, of = other): string {
  return formatSpiffeBundle({
    trustDomain: of.trustDomain,
    sequence,
    refreshHintSeconds,
    x509: of.bundle,
    jwtAuthorities: [],
    witAuthorities: [],
  });
}

/** An answer to begin with. */
function sends(sequence: bigint, hint?: number): () => string {
  return () => document(sequence, hint);
}

function down(): never {
  throw new BonafideError(SERVER_ERRORS, "BUNDLE_FETCH_FAILED", "no answer");
}

/** Waits until so many fetches have ended, since writing takes the disk's time, and the refresher rests again. */
async function ended({ clock, events }: Refreshing, count: number): Promise<void> {
  const isDone = (): boolean =>
    events.filter(({ event }) => /federation.fetch(ed|_failed)/.test(event)).length >= count &&
    clock.sleepers === 1;
  while (!isDone()) await setImmediate();
}

async function relate(all: Refreshing, relationship = WEB): Promise<void> {
  const decide = proposeRelationship({ relationship, bundle: undefined }, OWN);
  const count = all.asked.length + 1;
  await all.ledger.lane.submit(decide, BY_TEST);
  await ended(all, count);
}

/** Lets time pass, after which so many fetches have ended. */
async function pass(all: Refreshing, ms: number, count: number): Promise<void> {
  await all.clock.advance(ms);
  await ended(all, count);
  assert.equal(all.asked.length, count);
}

const results = (events: readonly LogEvent[]): unknown[] =>
  events
    .filter(({ event }) => event.startsWith("federation."))
    .map(({ fields }) => fields?.["result"]);

test("FED-05, FED-25, FED-38 (Federation §4.1, §5.2.1.4, §7.6): a relationship is fetched at once and then by its hint, 300 s without one, a minute to a day, each in the log", async () => {
  let hint: number | undefined;
  await using all = await openRefreshing(() => document(1n, hint));
  const { asked, events } = all;
  await relate(all);
  assert.equal(asked.length, 1);
  assert.equal(all.held(), 1n);
  for (const [next, seconds] of [
    [120, 300],
    [1, 120],
    [10_000_000, 60],
    [60, 86_400],
  ] as const) {
    hint = next;
    const before: number = asked.length;
    await pass(all, seconds * 1000 - 1, before);
    await pass(all, 1, before + 1);
  }
  assert.equal(events.filter(({ event }) => event === "federation.fetched").length, asked.length);
  const { fields } = events.find(({ event }) => event === "federation.fetched") ?? {};
  assert.deepEqual(fields, {
    trustDomain: "other.org",
    url: WEB.bundleEndpointUrl,
    profile: "https_web",
    result: "changed",
    sequence: "1",
  });
});

test("FED-35 (Federation §6.2): what fails leaves the last good bundle, says so, and is tried again an interval later, then two, then three", async () => {
  let answer = sends(3n, 60);
  await using all = await openRefreshing(() => answer());
  const { events } = all;
  await relate(all);
  const bad: readonly (() => string)[] = [
    down,
    () => "no document",
    () => document(2n, 60),
    () => `{"keys":[{"kty":"EC","use":"x509-svid","x5c":["!"]}]}`,
  ];
  await pass(all, 59_999, 1);
  for (const [i, failing] of bad.entries()) {
    answer = failing;
    await pass(all, 1, i + 2);
    assert.equal(all.held(), 3n);
    await pass(all, 60_000 * Math.min(i + 1, 3) - 1, i + 2);
  }
  answer = () => document(4n, 60);
  await pass(all, 1, bad.length + 2);
  assert.equal(all.held(), 4n);
  assert.deepEqual(results(events), [
    "changed",
    "BUNDLE_FETCH_FAILED",
    "BUNDLE_MALFORMED",
    "BUNDLE_SEQUENCE_FELL",
    "BUNDLE_MALFORMED",
    "changed",
  ]);
  const failure = events.find(({ event }) => event === "federation.fetch_failed");
  assert.deepEqual(
    [failure?.level, failure?.fields?.["keeps"], failure?.fields?.["nextMs"]],
    ["warn", "the last good bundle", 60_000],
  );
});

test("FED-06, FED-36 (Federation §4.2, §6.3): a bundle outlives a restart without network; an ended relationship is asked no more, and its bundle stays until it is deleted", async () => {
  const store = openMemoryStore();
  {
    await using first = await openRefreshing(() => document(3n), store);
    await relate(first);
    assert.equal(first.held(), 3n);
  }
  await using all = await openRefreshing(down, store);
  const { ledger, clock, asked } = all;
  await ended(all, 1);
  assert.equal(all.held(), 3n);
  await ledger.lane.submit(proposeRelationshipRemoval("other.org"), BY_TEST);
  await clock.advance(86_400_000);
  assert.equal(asked.length, 1);
  assert.equal(all.held(), 3n);
  const remove = { kind: "bundle", naturalKey: "other.org" } as const;
  await ledger.lane.submit(() => [{ remove }], BY_TEST);
  assert.equal(all.held(), undefined);
  assert.equal(all.bundles.all().get(other.trustDomain), undefined);
});

test("FED-33 (Federation §5.2.2.4): an endpoint that serves its own domain is proven by the newest bundle, alone", async () => {
  const rotating = new TestTrustDomain("other.org", { now: new ManualClock().now() });
  let sequence = 1n;
  await using all = await openRefreshing(() => document(sequence, 60, rotating));
  const { ledger, clock, asked } = all;
  const bootstrap = new TestTrustDomain("other.org", { now: clock.now() });
  const first = {
    kind: "bundle",
    trustDomain: "other.org",
    jwks: new TextEncoder().encode(document(9n, 60, bootstrap)),
    sequenceNumber: 9n,
    refreshHintSeconds: 60,
    source: "",
  } as const;
  const spiffe = {
    ...WEB,
    profile: "https_spiffe",
    endpointSpiffeId: "spiffe://other.org/spire/server",
  } as const;
  await ledger.lane.submit(
    proposeRelationship({ relationship: spiffe, bundle: first }, OWN),
    BY_TEST,
  );
  await ended(all, 1);
  sequence = 2n;
  rotating.rotateAuthority();
  await pass(all, 60_000, 2);
  await pass(all, 60_000, 3);
  const proofs = asked.map(({ proof }) =>
    proof.kind === "https_spiffe" ? proof.bundles : undefined,
  );
  assert.deepEqual(
    proofs.map((set) => set?.size),
    [1, 1, 1],
  );
  assert.deepEqual(
    proofs.map((set) => set?.get(other.trustDomain)?.authorities.length),
    [1, 1, 2],
  );
});

test("a refresh by hand fetches now, joins what is under way, and fails with the reason", async () => {
  let answer = sends(1n);
  await using all = await openRefreshing(() => answer());
  const { asked, refresher } = all;
  await assert.rejects(refresher.refresh("other.org"), (error) =>
    isBonafideError(error, "FEDERATION_NOT_FOUND"),
  );
  await relate(all);
  answer = () => document(2n);
  await Promise.all([refresher.refresh("other.org"), refresher.refresh("other.org")]);
  assert.equal(asked.length, 2);
  assert.equal(all.held(), 2n);
  answer = down;
  await assert.rejects(refresher.refresh("other.org"), (error) =>
    isBonafideError(error, "BUNDLE_FETCH_FAILED"),
  );
  assert.equal(all.held(), 2n);
});

test("one peer that is down keeps nobody else waiting, and keys of two domains are named in the log", async () => {
  const copy = document(1n);
  await using all = await openRefreshing(({ url }) =>
    url.hostname === "down.org" ? down() : copy,
  );
  await relate(all, { ...WEB, trustDomain: "down.org", bundleEndpointUrl: "https://down.org/" });
  await relate(all);
  await relate(all, { ...WEB, trustDomain: "copy.org", bundleEndpointUrl: "https://copy.org/" });
  assert.equal(all.held(), 1n);
  const shared = all.events.filter(({ event }) => event === "federation.key_shared");
  assert.deepEqual(
    shared.map(({ fields }) => fields?.["trustDomain"]),
    ["copy.org"],
  );
});
