import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSpiffeId } from "@bonafide/spiffe";
import { EntryIndex } from "./entry-index.ts";
import type { Entry, Selector } from "./entry.ts";

/** `unix:uid:1` as a selector. */
function s(text: string): Selector {
  const colon = text.indexOf(":");
  return { type: text.slice(0, colon), value: text.slice(colon + 1) };
}

function entry(id: string, selectors: readonly string[], createdAt = 0n): Entry {
  return {
    id,
    spiffeId: parseSpiffeId(`spiffe://example.org/${id}`),
    selectors: selectors.map((text) => s(text)),
    federatesWith: [],
    hint: "",
    revision: 0n,
    createdAt,
    expiresAt: 0n,
    admin: false,
    downstream: false,
    storeSvid: false,
    jwtSvidIncludeJti: false,
  };
}

function ids(entries: readonly Entry[]): string[] {
  return entries.map(({ id }) => id);
}

test("an entry matches a caller who has all its selectors and perhaps more", () => {
  const index = new EntryIndex([
    entry("both", ["unix:uid:1", "unix:gid:2"]),
    entry("one", ["unix:uid:1"]),
    entry("other", ["unix:uid:9"]),
  ]);
  assert.deepEqual(ids(index.match([s("unix:uid:1")])), ["one"]);
  assert.deepEqual(ids(index.match([s("unix:gid:2"), s("unix:uid:1"), s("x:y")])), ["both", "one"]);
  assert.deepEqual(index.match([]), []);
});

test("an entry without selectors matches nobody", () => {
  const index = new EntryIndex([entry("empty", [])]);
  assert.deepEqual(index.match([s("unix:uid:1")]), []);
  assert.equal(index.size, 1);
});

test("matches come oldest first, then by id", () => {
  const index = new EntryIndex([
    entry("b", ["a:b"], 5n),
    entry("c", ["a:b"], 1n),
    entry("a", ["a:b"], 5n),
  ]);
  assert.deepEqual(ids(index.match([s("a:b")])), ["c", "a", "b"]);
});

test("a changed entry is found by its new selectors only, a removed one not at all", () => {
  const index = new EntryIndex([entry("a", ["k:1"]), entry("b", ["k:2"])]);
  index.apply({ upserts: [entry("a", ["k:3", "k:3"])], removedIds: ["b", "unknown"] });
  assert.deepEqual(ids(index.match([s("k:1"), s("k:2")])), []);
  assert.deepEqual(ids(index.match([s("k:3")])), ["a"]);
  assert.equal(index.byId("a")?.selectors.length, 2);
  assert.equal(index.byId("b"), undefined);
});

test("the same entry twice in one batch counts once, the later one wins", () => {
  const index = new EntryIndex([entry("a", ["k:1"]), entry("a", ["k:2"])]);
  assert.equal(index.size, 1);
  assert.deepEqual(ids(index.match([s("k:1")])), []);
  assert.deepEqual(ids(index.match([s("k:2")])), ["a"]);
});

test("after many random changes the index agrees with a plain search", () => {
  let seed = 42;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  const index = new EntryIndex();
  const plain = new Map<string, Entry>();
  for (let round = 0; round < 300; round++) {
    const upserts = Array.from({ length: random(5) }, () =>
      entry(
        `e${random(40)}`,
        Array.from({ length: random(4) }, () => `k:${random(8)}`),
        BigInt(random(3)),
      ),
    );
    const removedIds = Array.from({ length: random(3) }, () => `e${random(40)}`);
    index.apply({ upserts, removedIds });
    for (const id of removedIds) plain.delete(id);
    for (const one of upserts) plain.set(one.id, one);
    const caller = Array.from({ length: random(6) }, () => s(`k:${random(8)}`));
    const has = new Set(caller.map(({ value }) => value));
    const expected = [...plain.values()].filter(
      ({ selectors }) => selectors.length > 0 && selectors.every(({ value }) => has.has(value)),
    );
    assert.deepEqual(ids(index.match(caller)).toSorted(), ids(expected).toSorted());
    assert.equal(index.size, plain.size);
    assert.deepEqual([...index.entries()].length, plain.size);
  }
});
