import assert from "node:assert/strict";
import { test } from "node:test";
import { generateKey } from "@bonafide/pki";
import type { Store } from "@bonafide/plugin-api";
import {
  BatchDeleteFederatedBundleRequest_Mode as Mode,
  Bundle,
} from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import type { BundleSchema } from "@bonafide/proto/spire/api/types/bundle_pb";
import type { StatusSchema } from "@bonafide/proto/spire/api/types/status_pb";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import type { Message, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { failureOf, openTestServer, TD, type TestServer, wireIdOf } from "../test-server.ts";

type WireBundle = Exclude<MessageInitShape<typeof BundleSchema>, Message>;
interface Answers {
  readonly results: readonly { readonly status?: MessageShape<typeof StatusSchema> | undefined }[];
}

const OK = 0;
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const FAILED_PRECONDITION = 9;

const foreign = new TestTrustDomain("other.org");

function bundleOf(trustDomain: string, more: WireBundle = {}): WireBundle {
  return { trustDomain, x509Authorities: [{ asn1: foreign.ca.certificate.der }], ...more };
}

async function codes(answers: Promise<Answers>): Promise<readonly number[]> {
  return (await answers).results.map(({ status }) => status?.code ?? -1);
}

async function federatingEntry(srv: TestServer, parentId: WireId, path: string): Promise<string> {
  const { results } = await srv.local(Entry).batchCreateEntry({
    entries: [
      {
        parentId,
        spiffeId: { trustDomain: TD, path },
        selectors: [{ type: "unix", value: "uid:1" }],
        federatesWith: ["other.org"],
      },
    ],
  });
  assert.equal(results[0]?.status?.code, OK);
  return results[0]?.entry?.id ?? "";
}

interface WireId {
  readonly trustDomain: string;
  readonly path: string;
}

const PARENT = { trustDomain: TD, path: "/parent" };

/** Other trust domains' bundles as administrators keep them, and what holds on to them. */
export function federatedBundleSuite(name: string, open: () => Promise<Store>): void {
  test(`${name}: a foreign bundle is created once, changed by mask, set, listed by page and counted`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const client = srv.local(Bundle);
    const jwtAuthorities = [{ keyId: "k", publicKey: generateKey("ec-p256").spki }];
    const created = await client.batchCreateFederatedBundle({
      bundle: [bundleOf("other.org", { refreshHint: 60n, sequenceNumber: 7n }), bundleOf("b.org")],
    });
    assert.deepEqual(
      created.results.map(({ status, bundle }) => [status?.code, bundle?.trustDomain]),
      [
        [OK, "other.org"],
        [OK, "b.org"],
      ],
    );
    assert.deepEqual(
      await codes(client.batchCreateFederatedBundle({ bundle: [bundleOf("b.org")] })),
      [ALREADY_EXISTS],
    );
    const { results } = await client.batchUpdateFederatedBundle({
      bundle: [{ trustDomain: "other.org", jwtAuthorities, sequenceNumber: 8n }],
      inputMask: { jwtAuthorities: true },
      outputMask: { jwtAuthorities: true, sequenceNumber: true },
    });
    const updated = results[0]?.bundle;
    assert.deepEqual(
      [updated?.jwtAuthorities[0]?.keyId, updated?.sequenceNumber, updated?.x509Authorities.length],
      ["k", 7n, 0],
    );
    const held = await client.getFederatedBundle({ trustDomain: "other.org" });
    assert.deepEqual(
      [held.x509Authorities.length, held.jwtAuthorities.length, held.refreshHint],
      [1, 1, 60n],
    );
    await client.batchSetFederatedBundle({ bundle: [bundleOf("other.org"), bundleOf("c.org")] });
    assert.equal(
      (await client.getFederatedBundle({ trustDomain: "other.org" })).jwtAuthorities.length,
      0,
    );
    assert.equal((await client.countBundles({})).count, 4);
    const first = await client.listFederatedBundles({ pageSize: 2 });
    const { nextPageToken: pageToken } = first;
    const second = await client.listFederatedBundles({ pageSize: 2, pageToken });
    assert.deepEqual(
      [...first.bundles, ...second.bundles].map(({ trustDomain }) => trustDomain),
      ["other.org", "b.org", "c.org"],
    );
    const last = await client.listFederatedBundles({
      pageSize: 2,
      pageToken: second.nextPageToken,
    });
    assert.deepEqual([last.bundles.length, last.nextPageToken], [0, ""]);
    assert.equal((await client.listFederatedBundles({})).bundles.length, 3);
    assert.equal(
      (await failureOf(client.listFederatedBundles({ pageToken: "x" }))).code,
      "PAGE_TOKEN_INVALID",
    );
  });

  test(`${name}: each rule of a foreign bundle is an answer of its item`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const client = srv.local(Bundle);
    const key = generateKey("ec-p256").spki;
    const other = generateKey("ec-p256").spki;
    const many = Array.from({ length: 129 }, (_, i) => ({ keyId: `k${i}`, publicKey: key }));
    const bad: readonly WireBundle[] = [
      bundleOf(""),
      bundleOf("Not A Domain"),
      bundleOf(TD),
      { trustDomain: "other.org", x509Authorities: [{ asn1: new Uint8Array([1, 2]) }] },
      { trustDomain: "other.org", jwtAuthorities: [{ keyId: "", publicKey: key }] },
      { trustDomain: "other.org", jwtAuthorities: [{ keyId: "k", publicKey: key.slice(1) }] },
      {
        trustDomain: "other.org",
        jwtAuthorities: [
          { keyId: "k", publicKey: key },
          { keyId: "k", publicKey: other },
        ],
      },
      { trustDomain: "other.org", jwtAuthorities: many },
      bundleOf("other.org", { refreshHint: -1n }),
    ];
    const expected = bad.map(() => INVALID_ARGUMENT);
    assert.deepEqual(
      await codes(client.batchCreateFederatedBundle({ bundle: [...bad] })),
      expected,
    );
    assert.deepEqual(await codes(client.batchSetFederatedBundle({ bundle: [...bad] })), expected);
    assert.deepEqual(
      await codes(client.batchUpdateFederatedBundle({ bundle: [bundleOf("b.org"), bundleOf(TD)] })),
      [NOT_FOUND, INVALID_ARGUMENT],
    );
    assert.deepEqual(
      await codes(client.batchDeleteFederatedBundle({ trustDomains: ["b.org", TD, ""] })),
      [NOT_FOUND, INVALID_ARGUMENT, INVALID_ARGUMENT],
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a client of another version may send
    const mode = 9 as Mode;
    const unknownMode = client.batchDeleteFederatedBundle({ trustDomains: ["b.org"], mode });
    assert.equal((await failureOf(unknownMode)).code, "REQUEST_INVALID");
    assert.equal((await client.countBundles({})).count, 1);
    const own = client.getFederatedBundle({ trustDomain: TD });
    assert.equal((await failureOf(own)).status, "invalid_argument");
    const unknown = client.getFederatedBundle({ trustDomain: "b.org" });
    assert.equal((await failureOf(unknown)).code, "BUNDLE_NOT_FOUND");
  });

  test(`${name}: a bundle goes only as its mode says: held by entries, with them, or let go by them`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const client = srv.local(Bundle);
    const entries = srv.local(Entry);
    const remove = (mode: Mode): Promise<readonly number[]> =>
      codes(client.batchDeleteFederatedBundle({ trustDomains: ["other.org"], mode }));
    await client.batchSetFederatedBundle({ bundle: [bundleOf("other.org")] });
    const id = await federatingEntry(srv, PARENT, "/a");
    assert.deepEqual(await remove(Mode.RESTRICT), [FAILED_PRECONDITION]);
    assert.deepEqual(await remove(Mode.DISSOCIATE), [OK]);
    assert.deepEqual((await entries.getEntry({ id })).federatesWith, []);
    await client.batchSetFederatedBundle({ bundle: [bundleOf("other.org")] });
    // More than fit into one proposal.
    const { results } = await entries.batchCreateEntry({
      entries: Array.from({ length: 300 }, (_, i) => ({
        parentId: PARENT,
        spiffeId: { trustDomain: TD, path: `/many/${i}` },
        selectors: [{ type: "unix", value: "uid:1" }],
        federatesWith: ["other.org"],
      })),
    });
    assert.ok(results.every(({ status }) => status?.code === OK));
    assert.deepEqual(await remove(Mode.DELETE), [OK]);
    assert.equal((await entries.countEntries({})).count, 1);
    assert.equal((await client.countBundles({})).count, 1);
  });

  test(`${name}: agents may ask for a foreign bundle, and get those of their entries pushed; strangers get none`, async () => {
    await using srv = await openTestServer({ store: await open() });
    await srv.local(Bundle).batchSetFederatedBundle({ bundle: [bundleOf("other.org")] });
    const node = await srv.join();
    await federatingEntry(srv, wireIdOf(node), "/a");
    const agent = srv.remote(Bundle, node);
    const got = await agent.getFederatedBundle({ trustDomain: "other.org" });
    assert.deepEqual(got.x509Authorities[0]?.asn1, foreign.ca.certificate.der);
    for (const refused of [
      agent.listFederatedBundles({}),
      agent.batchSetFederatedBundle({ bundle: [bundleOf("other.org")] }),
      srv.remote(Bundle).getFederatedBundle({ trustDomain: "other.org" }),
    ]) {
      assert.equal((await failureOf(refused)).status, "permission_denied");
    }
  });
}
