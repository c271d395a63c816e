import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "@bonafide/plugin-api";
import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import {
  Entry,
  type ListEntriesRequest_FilterSchema as FilterSchema,
} from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import type { EntrySchema } from "@bonafide/proto/spire/api/types/entry_pb";
import type { Client } from "@bonafide/rpc";
import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { collect, failureOf, openTestServer, TD, wireIdOf } from "../test-server.ts";

type WireEntry = Exclude<MessageInitShape<typeof EntrySchema>, Message>;

const OK = 0;
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;

function id(path: string, trustDomain = TD): { trustDomain: string; path: string } {
  return { trustDomain, path };
}

function entry(path: string, more: WireEntry = {}): WireEntry {
  return {
    parentId: id("/parent"),
    spiffeId: id(path),
    selectors: [{ type: "unix", value: "uid:1" }],
    ...more,
  };
}

function sel(...values: readonly string[]): { selectors: { type: string; value: string }[] } {
  return { selectors: values.map((value) => ({ type: "t", value })) };
}

async function create(
  client: Client<typeof Entry>,
  ...entries: readonly WireEntry[]
): Promise<readonly number[]> {
  const { results } = await client.batchCreateEntry({ entries: [...entries] });
  return results.map(({ status }) => status?.code ?? -1);
}

/** Entries: what may be written, listed and synced. */
export function entrySuite(name: string, open: () => Promise<Store>): void {
  test(`${name}: each rule of an entry is an INVALID_ARGUMENT of its item, in order`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const client = srv.local(Entry);
    const bad: readonly WireEntry[] = [
      { spiffeId: id("/a"), selectors: [{ type: "a", value: "b" }] },
      { parentId: id("/p"), selectors: [{ type: "a", value: "b" }] },
      entry("/a", { parentId: id("") }),
      entry("/a", { parentId: id("/p", "other.org") }),
      entry("/a", { parentId: id("no-slash") }),
      entry("/a", { spiffeId: id("/a", "other.org") }),
      entry(""),
      entry("/spire"),
      entry("/spire/x"),
      entry("/a//b"),
      entry("/a/../b"),
      entry("/a/"),
      entry("/ä"),
      entry("/a", { selectors: [] }),
      entry("/a", { selectors: [{ type: "", value: "b" }] }),
      entry("/a", { selectors: [{ type: "a:b", value: "b" }] }),
      entry("/a", { selectors: [{ type: "a", value: "" }] }),
      entry("/a", { dnsNames: ["-bad"] }),
      entry("/a", { dnsNames: ["a..b"] }),
      entry("/a", { dnsNames: [""] }),
      entry("/a", { hint: "h".repeat(1025) }),
      entry("/a", { x509SvidTtl: -1 }),
      entry("/a", { jwtSvidTtl: -1 }),
      entry("/a", { id: "i".repeat(256) }),
      entry("/a", { id: "a b" }),
      entry("/a", { federatesWith: ["not a domain"] }),
      entry("/a", { federatesWith: ["unknown.org"] }),
      entry("/a", {
        storeSvid: true,
        selectors: [
          { type: "a", value: "b" },
          { type: "c", value: "d" },
        ],
      }),
      entry("/a", {
        storeSvid: true,
        additionalAttributes: { disableX509SvidPrefetch: true },
      }),
    ];
    const good = [
      entry("/a", { id: "A.b_c-1", hint: "h".repeat(1024), dnsNames: ["*.a.org", "b.org"] }),
      entry("/spires"),
      entry("/under-server", { parentId: id("/spire/server") }),
      entry("/x", { spiffeId: { trustDomain: `spiffe://${TD}`, path: "/x" } }),
    ];
    const codes = await create(client, ...bad, ...good);
    assert.deepEqual(
      codes.slice(0, bad.length),
      bad.map(() => INVALID_ARGUMENT),
    );
    assert.deepEqual(
      codes.slice(bad.length),
      good.map(() => OK),
    );
    const reserved = srv.local(Entries).createEntry({ entry: { entry: entry("/spire/x") } });
    assert.equal((await failureOf(reserved)).code, "ID_RESERVED");
  });

  test(`${name}: the same entry again answers ALREADY_EXISTS with the one that is there`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const client = srv.local(Entry);
    const selectors = [
      { type: "unix", value: "uid:1" },
      { type: "unix", value: "gid:1" },
    ];
    const first = await client.batchCreateEntry({ entries: [entry("/a", { selectors })] });
    const made = first.results[0]?.entry;
    const { results } = await client.batchCreateEntry({
      entries: [
        entry("/a", { selectors: selectors.toReversed(), hint: "other" }),
        entry("/b", { id: made?.id ?? "" }),
        entry("/c"),
        entry("/c"),
      ],
    });
    assert.deepEqual(
      results.map(({ status }) => status?.code),
      [ALREADY_EXISTS, ALREADY_EXISTS, OK, ALREADY_EXISTS],
    );
    assert.deepEqual(results[0]?.entry, made);
    assert.equal(results[1]?.entry?.id, made?.id);
    assert.equal(results[3]?.entry?.id, results[2]?.entry?.id);
    assert.equal(results[2]?.status?.message, "OK");
  });

  test(`${name}: entries are listed by every filter, in pages that end on an empty one`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const client = srv.local(Entry);
    await create(
      client,
      entry("/a", { ...sel("1"), hint: "h" }),
      entry("/b", { ...sel("1", "2"), parentId: id("/q") }),
      entry("/c", { ...sel("2", "3"), downstream: true }),
    );
    const list = async (
      filter: Exclude<MessageInitShape<typeof FilterSchema>, Message>,
    ): Promise<string> => {
      const { entries } = await client.listEntries({ filter });
      const { count } = await client.countEntries({ filter });
      assert.equal(count, entries.length);
      return entries.map((e) => e.spiffeId?.path).join("");
    };
    assert.equal(await list({}), "/a/b/c");
    assert.equal(await list({ bySpiffeId: id("/b") }), "/b");
    assert.equal(await list({ byParentId: id("/parent") }), "/a/c");
    assert.equal(await list({ byHint: "h" }), "/a");
    assert.equal(await list({ byDownstream: true }), "/c");
    const match = (how: 0 | 1 | 2 | 3, ...values: string[]): Promise<string> =>
      list({ bySelectors: { ...sel(...values), match: how } });
    assert.equal(await match(0, "2", "1"), "/b");
    assert.equal(await match(1, "1", "2"), "/a/b");
    assert.equal(await match(2, "2"), "/b/c");
    assert.equal(await match(3, "1", "3"), "/a/b/c");
    for (const filter of [
      { bySelectors: { selectors: [] } },
      { byFederatesWith: { trustDomains: [] } },
      { bySpiffeId: id("/spire/server") },
      { byParentId: id("") },
    ]) {
      assert.equal((await failureOf(client.listEntries({ filter }))).status, "invalid_argument");
    }
    const sizes: number[] = [];
    let pageToken = "";
    do {
      const page = await client.listEntries({ pageSize: 2, pageToken });
      sizes.push(page.entries.length);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.deepEqual(sizes, [2, 1, 0]);
    const { entries } = await client.listEntries({ outputMask: {} });
    assert.ok(entries.every((e) => e.id !== "" && e.spiffeId === undefined));
  });

  test(`${name}: update follows its mask, bumps the revision once, and not for nothing`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const client = srv.local(Entry);
    await create(client, entry("/a", { id: "e", hint: "one", dnsNames: ["a.org"] }));
    const before = await client.getEntry({ id: "e" });
    const masked = await client.batchUpdateEntry({
      entries: [{ id: "e", hint: "two" }],
      inputMask: { hint: true },
    });
    const after = masked.results[0]?.entry;
    assert.deepEqual([after?.hint, after?.dnsNames], ["two", ["a.org"]]);
    assert.ok((after?.revisionNumber ?? 0n) > before.revisionNumber);
    assert.equal(after?.createdAt, before.createdAt);
    const same = await client.batchUpdateEntry({
      entries: [{ id: "e", hint: "two" }],
      inputMask: { hint: true },
    });
    assert.equal(same.results[0]?.entry?.revisionNumber, after?.revisionNumber);
    const whole = await client.batchUpdateEntry({ entries: [entry("/a", { id: "e" })] });
    assert.deepEqual([whole.results[0]?.entry?.hint, whole.results[0]?.entry?.dnsNames], ["", []]);
    const bad = await client.batchUpdateEntry({
      entries: [entry("/a", { id: "none" }), entry("/a"), { id: "e" }],
    });
    assert.deepEqual(
      bad.results.map(({ status }) => status?.code),
      [NOT_FOUND, INVALID_ARGUMENT, INVALID_ARGUMENT],
    );
  });

  test(`${name}: deleting echoes ids; get of an empty or unknown id is refused`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const client = srv.local(Entry);
    await create(client, entry("/a", { id: "e" }));
    const { results } = await client.batchDeleteEntry({ ids: ["e", "e", "", "x"] });
    assert.deepEqual(
      results.map(({ id: echoed, status }) => [echoed, status?.code]),
      [
        ["e", OK],
        ["e", NOT_FOUND],
        ["", INVALID_ARGUMENT],
        ["x", NOT_FOUND],
      ],
    );
    assert.equal((await failureOf(client.getEntry({ id: "e" }))).status, "not_found");
    assert.equal((await failureOf(client.getEntry({ id: "" }))).status, "invalid_argument");
  });

  test(`${name}: more than 500 entries sync as revisions, then by the ids that are asked for`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const svid = await srv.join();
    const parentId = wireIdOf(svid);
    const all = Array.from({ length: 1001 }, (_, i) => entry(`/w${i}`, { parentId }));
    await create(srv.local(Entry), ...all.slice(0, 600));
    await create(srv.local(Entry), ...all.slice(600));
    const ids: string[] = [];
    const turn = Promise.withResolvers<void>();
    const stream = srv.remote(Entry, svid).syncAuthorizedEntries(
      (async function* () {
        yield { outputMask: { spiffeId: true, revisionNumber: true } };
        await turn.promise;
        yield { ids: [...ids.slice(0, 700), "unknown"] };
        yield { ids: ["unknown"] };
      })(),
    );
    const shapes: unknown[] = [];
    for await (const { entryRevisions, entries, more } of stream) {
      shapes.push([entryRevisions.length, entries.length, more]);
      ids.push(...entryRevisions.map((revision) => revision.id));
      assert.ok(entries.every((e) => e.spiffeId !== undefined && e.selectors.length === 0));
      if (ids.length === all.length) turn.resolve();
    }
    assert.deepEqual(shapes, [
      [500, 0, true],
      [500, 0, true],
      [1, 0, false],
      [0, 500, true],
      [0, 200, false],
      [0, 0, false],
    ]);
  });

  test(`${name}: an agent that is banned while it syncs gets no entry more`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const svid = await srv.join();
    const parentId = wireIdOf(svid);
    const all = Array.from({ length: 501 }, (_, i) => entry(`/w${i}`, { parentId, id: `e${i}` }));
    await create(srv.local(Entry), ...all);
    const banned = Promise.withResolvers<undefined>();
    const stream = srv.remote(Entry, svid).syncAuthorizedEntries(
      (async function* () {
        yield { outputMask: { revisionNumber: true } };
        await banned.promise;
        yield { ids: ["e1"] };
      })(),
    );
    await stream.next();
    await stream.next();
    await srv.local(Agent).banAgent({ id: parentId });
    banned.resolve(undefined);
    assert.equal((await failureOf(collect(stream))).code, "AGENT_BANNED");
  });

  test(`${name}: the first message of a sync asks for revisions and has no ids`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const svid = await srv.join();
    for (const first of [{ ids: ["x"] }, { outputMask: { spiffeId: true } }]) {
      const call = srv.remote(Entry, svid).syncAuthorizedEntries(
        (async function* () {
          yield first;
        })(),
      );
      assert.equal((await failureOf(collect(call))).status, "invalid_argument");
    }
  });

  test(`${name}: owner and labels are kept beside what SPIRE's wire knows`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const client = srv.local(Entries);
    const owned = { entry: entry("/a", { id: "e" }), owner: "team-a", labels: { env: "test" } };
    const dry = await client.createEntry({ entry: owned, dryRun: true });
    assert.deepEqual(
      dry.warnings.map(({ code }) => code),
      ["entry.parent_unknown"],
    );
    assert.equal((await failureOf(client.getEntry({ id: "e" }))).status, "not_found");
    await client.createEntry({ entry: owned });
    const { entry: got } = await client.getEntry({ id: "e" });
    assert.deepEqual([got?.owner, got?.labels], ["team-a", { env: "test" }]);
    const twice = await failureOf(client.createEntry({ entry: owned }));
    assert.deepEqual([twice.status, twice.code], ["already_exists", "ENTRY_EXISTS"]);
    await srv.local(Entry).batchUpdateEntry({
      entries: [{ id: "e", hint: "x" }],
      inputMask: { hint: true },
    });
    assert.equal((await client.getEntry({ id: "e" })).entry?.owner, "team-a");
    const byOwner = await client.listEntries({ byOwner: "team-a", byLabels: { env: "test" } });
    assert.equal(byOwner.entries.length, 1);
    assert.equal((await client.listEntries({ byOwner: "team-b" })).entries.length, 0);
  });
}
