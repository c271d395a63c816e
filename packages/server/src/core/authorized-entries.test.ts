import assert from "node:assert/strict";
import { test } from "node:test";
import { authorizedEntries, type EntryTree, type WalkedEntry } from "./authorized-entries.ts";

const TD = "example.org";
const NODE = {
  spiffeId: `spiffe://${TD}/spire/agent/join_token/abc`,
  selectors: [
    { type: "host", value: "a" },
    { type: "zone", value: "1" },
  ],
};

function id(path: string): string {
  return `spiffe://${TD}${path}`;
}

function entry(
  entryId: string,
  parent: string,
  path: string,
  selectors: readonly string[] = ["unix:uid:1"],
  expiresAtSeconds = 0,
): WalkedEntry {
  return {
    id: entryId,
    parentId: parent.startsWith("spiffe:") ? parent : id(parent),
    spiffeId: id(path),
    selectors: selectors.map((text) => {
      const colon = text.indexOf(":");
      return { type: text.slice(0, colon), value: text.slice(colon + 1) };
    }),
    expiresAtSeconds,
  };
}

function tree(...entries: readonly WalkedEntry[]): EntryTree<WalkedEntry> {
  return { entriesByParent: (parent) => entries.filter((e) => e.parentId === parent) };
}

function found(...entries: readonly WalkedEntry[]): Record<string, readonly string[]> {
  const list = authorizedEntries(tree(...entries), NODE, TD, 1_000_000);
  return Object.fromEntries(list.map(({ entry: e, origin }) => [e.id, origin]));
}

test("a node gets its own children and theirs, with the way to each", () => {
  assert.deepEqual(
    found(
      entry("a", NODE.spiffeId, "/a"),
      entry("b", "/a", "/b"),
      entry("c", "/b", "/c"),
      entry("other", "/spire/agent/join_token/xyz", "/o"),
    ),
    { a: [], b: ["a"], c: ["a", "b"] },
  );
});

test("an alias leads to its children if the node has all its selectors, and is itself not given", () => {
  assert.deepEqual(
    found(
      entry("alias", "/spire/server", "/hosts", ["host:a", "zone:1"]),
      entry("w", "/hosts", "/w"),
      entry("narrow", "/spire/server", "/others", ["host:a", "zone:2"]),
      entry("x", "/others", "/x"),
    ),
    { w: ["alias"] },
  );
});

test("the node's own ID is a selector of type spiffe_id", () => {
  assert.deepEqual(
    found(
      entry("alias", "/spire/server", "/me", [`spiffe_id:${NODE.spiffeId}`]),
      entry("w", "/me", "/w"),
      entry("no", "/spire/server", "/you", [`spiffe_id:${id("/spire/agent/x/y")}`]),
      entry("v", "/you", "/v"),
    ),
    { w: ["alias"] },
  );
});

test("a join token's alias entry is a child of the node: it is given, and leads on", () => {
  assert.deepEqual(
    found(
      entry("alias", NODE.spiffeId, "/group", [`spiffe_id:${NODE.spiffeId}`]),
      entry("w", "/group", "/w"),
    ),
    { alias: [], w: ["alias"] },
  );
});

test("cycles end, and an entry that is reached twice is given once", () => {
  assert.deepEqual(
    found(
      entry("a", NODE.spiffeId, "/a"),
      entry("b", "/a", "/b"),
      entry("back", "/b", "/a"),
      entry("self", "/a", "/a"),
      entry("alias", "/spire/server", "/a", ["host:a"]),
    ),
    { a: [], b: ["alias"], back: ["alias", "b"], self: ["alias"] },
  );
});

test("an entry below the server's ID cannot be reached by an entry that names the server", () => {
  assert.deepEqual(
    found(
      entry("a", NODE.spiffeId, "/spire/server"),
      entry("secret", "/spire/server", "/x", ["host:other"]),
      entry("y", "/x", "/y"),
    ),
    { a: [] },
  );
});

test("expired entries are not given and lead nowhere", () => {
  assert.deepEqual(
    found(
      entry("a", NODE.spiffeId, "/a", ["u:1"], 1000),
      entry("b", "/a", "/b"),
      entry("alias", "/spire/server", "/h", ["host:a"], 999),
      entry("w", "/h", "/w"),
      entry("later", NODE.spiffeId, "/l", ["u:1"], 1001),
    ),
    { later: [] },
  );
});

test("an alias without selectors fits nobody", () => {
  assert.deepEqual(found(entry("alias", "/spire/server", "/h", []), entry("w", "/h", "/w")), {});
});
