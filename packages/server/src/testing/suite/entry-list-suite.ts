import assert from "node:assert/strict";
import { test } from "node:test";
import { makeCertificate } from "@bonafide/pki/testing";
import type { Store } from "@bonafide/plugin-api";
import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { EntryMaskSchema, type EntrySchema } from "@bonafide/proto/spire/api/types/entry_pb";
import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { failureOf, openTestServer, TD, type TestServer } from "../test-server.ts";

type WireEntry = Exclude<MessageInitShape<typeof EntrySchema>, Message>;

const OK = 0;
const ALREADY_EXISTS = 6;

function entry(name: string, more: WireEntry = {}): WireEntry {
  return {
    id: name,
    parentId: { trustDomain: TD, path: "/parent" },
    spiffeId: { trustDomain: TD, path: `/${name}` },
    selectors: [{ type: "unix", value: "uid:1" }],
    ...more,
  };
}

async function create(srv: TestServer, ...entries: readonly WireEntry[]): Promise<void> {
  const { results } = await srv.local(Entry).batchCreateEntry({ entries: [...entries] });
  assert.deepEqual(
    results.map(({ status }) => status?.code),
    entries.map(() => OK),
  );
}

async function addBundles(srv: TestServer, ...names: readonly string[]): Promise<void> {
  const bundle = names.map((trustDomain) => ({
    trustDomain,
    x509Authorities: [
      { asn1: makeCertificate({ isAuthority: true, uris: [`spiffe://${trustDomain}`] }).der },
    ],
  }));
  const { results } = await srv.local(Bundle).batchSetFederatedBundle({ bundle });
  assert.ok(results.every(({ status }) => status?.code === OK));
}

/** Lists of entries: filters by federation, masks field by field, page tokens and limits. */
export function entryListSuite(name: string, open: () => Promise<Store>): void {
  test(`${name}: entries are found by whom they federate with, in all four ways`, async () => {
    await using srv = await openTestServer({ store: await open() });
    await addBundles(srv, "a.org", "b.org");
    await create(
      srv,
      entry("none"),
      entry("a", { federatesWith: ["a.org"] }),
      entry("ab", { federatesWith: ["a.org", "spiffe://b.org"] }),
    );
    const find = async (match: 0 | 1 | 2 | 3, ...trustDomains: string[]): Promise<string> => {
      const filter = { byFederatesWith: { trustDomains, match } };
      const { entries } = await srv.local(Entry).listEntries({ filter });
      const { count } = await srv.local(Entry).countEntries({ filter });
      assert.equal(count, entries.length);
      return entries.map(({ id }) => id).join(" ");
    };
    assert.equal(await find(0, "b.org", "a.org"), "ab");
    assert.equal(await find(1, "a.org"), "a");
    assert.equal(await find(2, "a.org"), "a ab");
    assert.equal(await find(3, "b.org", "c.org"), "ab");
    assert.equal(await find(3, "c.org"), "");
    const many = Array.from({ length: 257 }, (_, i) => `t${i}.org`);
    for (const trustDomains of [[], ["no domain"], many]) {
      const filter = { byFederatesWith: { trustDomains } };
      const refused = await failureOf(srv.local(Entry).countEntries({ filter }));
      assert.deepEqual([refused.status, refused.code], ["invalid_argument", "REQUEST_INVALID"]);
    }
  });

  test(`${name}: each field comes if its mask asks for it, and no other`, async () => {
    await using srv = await openTestServer({ store: await open() });
    await addBundles(srv, "a.org");
    const whole: WireEntry = {
      x509SvidTtl: 60,
      jwtSvidTtl: 30,
      federatesWith: ["a.org"],
      admin: true,
      downstream: true,
      expiresAt: 4_000_000_000n,
      dnsNames: ["w.example"],
      hint: "h",
      additionalAttributes: { jwtSvidIncludeJti: true },
    };
    await create(srv, entry("w", whole), entry("stored", { storeSvid: true }));
    const client = srv.local(Entry);
    const all = await client.getEntry({ id: "w" });
    for (const { localName } of EntryMaskSchema.fields) {
      const id = localName === "storeSvid" ? "stored" : "w";
      const masked = await client.getEntry({ id, outputMask: { [localName]: true } });
      const plain = Object.keys(masked).filter((key) => isSet(Reflect.get(masked, key)));
      assert.deepEqual(new Set(plain), new Set(["$typeName", "id", localName]));
      if (id === "w") assert.deepEqual(Reflect.get(masked, localName), Reflect.get(all, localName));
    }
    const { results } = await client.batchCreateEntry({
      entries: [entry("again", { spiffeId: { trustDomain: TD, path: "/w" } })],
      outputMask: { hint: true },
    });
    assert.equal(results[0]?.status?.code, ALREADY_EXISTS);
    assert.deepEqual(
      [results[0].entry?.id, results[0].entry?.hint, results[0].entry?.spiffeId],
      ["w", "h", undefined],
    );
  });

  test(`${name}: pages go on from where they were, whatever is added or removed; others' tokens are refused`, async () => {
    await using srv = await openTestServer({ store: await open() });
    await create(srv, ...["a", "b", "c", "d", "e"].map((id) => entry(id)));
    const client = srv.local(Entry);
    const first = await client.listEntries({ pageSize: 2 });
    await client.batchDeleteEntry({ ids: ["b", "c"] });
    await create(srv, entry("f"), entry("c"));
    const rest: string[] = [];
    let pageToken = first.nextPageToken;
    while (pageToken !== "") {
      const page = await client.listEntries({ pageSize: 2, pageToken });
      rest.push(...page.entries.map(({ id }) => id));
      pageToken = page.nextPageToken;
    }
    assert.deepEqual(rest, ["d", "e", "f", "c"]);
    await srv.join();
    const ofAgents = (await srv.local(Agent).listAgents({ pageSize: 1 })).nextPageToken;
    const ofOwned = (await srv.local(Entries).listEntries({ pageSize: 1 })).nextPageToken;
    const foreign = [ofAgents, ofOwned, "1", "entries-", "entries-0", "x".repeat(100_000)];
    for (const token of foreign) {
      for (const call of [
        () => client.listEntries({ pageSize: 1, pageToken: token }),
        () => client.listEntries({ pageToken: token }),
      ]) {
        const { status, code } = await failureOf(call());
        assert.deepEqual([status, code], ["invalid_argument", "PAGE_TOKEN_INVALID"]);
      }
    }
    const ofEntries = first.nextPageToken;
    for (const call of [
      () => srv.local(Agent).listAgents({ pageSize: 1, pageToken: ofEntries }),
      () => srv.local(Entries).listEntries({ pageSize: 1, pageToken: ofEntries }),
    ]) {
      assert.equal((await failureOf(call())).code, "PAGE_TOKEN_INVALID");
    }
  });

  test(`${name}: a batch of too many items is refused whole, and nothing of it is written`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const client = srv.local(Entry);
    const entries = Array.from({ length: 1001 }, (_, i) => entry(`e${i}`));
    const ids = entries.map(({ id = "" }) => id);
    for (const call of [
      () => client.batchCreateEntry({ entries }),
      () => client.batchUpdateEntry({ entries }),
      () => client.batchDeleteEntry({ ids }),
    ]) {
      const { status, code } = await failureOf(call());
      assert.deepEqual([status, code], ["resource_exhausted", "OVERLOADED"]);
    }
    assert.equal((await client.countEntries({})).count, 0);
    const selectors = Array.from({ length: 129 }, (_, i) => ({ type: "t", value: String(i) }));
    const huge = [
      entry("a", { selectors }),
      entry("a", { selectors: [{ type: "t", value: "v".repeat(4097) }] }),
      entry("a", { selectors: [{ type: "t".repeat(256), value: "v" }] }),
      entry("a", { dnsNames: Array.from({ length: 65 }, (_, i) => `d${i}.org`) }),
      entry("a", { federatesWith: Array.from({ length: 257 }, (_, i) => `t${i}.org`) }),
      entry("a", { expiresAt: 2n ** 62n }),
      entry("a", { expiresAt: -1n }),
    ];
    const { results } = await client.batchCreateEntry({ entries: huge });
    assert.ok(results.every(({ status }) => status?.code === 3));
    const tooLarge = entry("a", { hint: "h".repeat(4_200_000) });
    const refused = await failureOf(client.batchCreateEntry({ entries: [tooLarge] }));
    assert.equal(refused.status, "resource_exhausted");
  });
}

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== "" && value !== 0 && value !== 0n && value !== false;
}
