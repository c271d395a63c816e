import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  BundleObject,
  EntryObject,
  JoinTokenObject,
  NodeObject,
  ObjectKind,
  ObjectOf,
} from "@bonafide/ledger";
import { likenessText } from "../lane/entry-index.ts";
import type { Change, Known, RegistryView, WritableObject } from "../lane/registry-view.ts";
import { sampleEntry, sampleNode } from "../lane/testing/sample-objects.ts";
import { type Caller, configuredGrants } from "./administration.ts";
import { entryWarnings } from "./entry-warnings.ts";
import { overdueChanges } from "./housekeeping.ts";
import { proposeEntry, proposeEntryChange, proposeEntryRemoval } from "./propose-entry.ts";
import { nodeChanges, proposeBan, proposeEviction } from "./propose-node.ts";
import { proposeSpending, proposeToken } from "./propose-token.ts";

const ADMIN: Caller = { kind: "local", uid: 0 };
const FULL = { caller: ADMIN, grants: configuredGrants([]) };
const ENTRIES_ONLY = { caller: ADMIN, grants: [{ holder: "local", scope: "entries" } as const] };

/** A state with these objects, each written by its own leaf, in order. */
function stateOf(...objects: readonly WritableObject[]): RegistryView {
  const known = objects.map((object, i): Known<WritableObject> => ({
    object,
    epoch: 16,
    n: i + 1,
    firstN: i + 1,
  }));
  const all = <K extends ObjectKind>(kind: K): Known<ObjectOf<K>>[] =>
    known.filter((one): one is Known<ObjectOf<K> & WritableObject> => one.object.kind === kind);
  const entries = (): Known<EntryObject>[] => all("entry");
  return {
    head: { epoch: 16, n: objects.length, root: new Uint8Array(32) },
    floor: { epoch: 16, n: 0 },
    all,
    count: (kind) => all(kind).length,
    find: (kind, key) => all(kind).find(({ object }) => keyOf(object) === key),
    entriesByParent: (id) => entries().filter(({ object }) => object.parentId === id),
    entriesBySpiffeId: (id) => entries().filter(({ object }) => object.spiffeId === id),
    entriesFederatingWith: (name) =>
      entries().filter(({ object }) => object.federatesWith.includes(name)),
    entryLike: (like) =>
      entries().find(({ object }) => likenessText(object) === likenessText(like)),
    numberOf: ({ n }) => n,
    kindNumber: () => 0,
  };
}

function keyOf(object: ObjectOf<ObjectKind>): string {
  if (object.kind === "entry") return object.id;
  if (object.kind === "node") return object.spiffeId;
  if (object.kind === "bundle") return object.trustDomain;
  return object.kind === "joinToken" ? object.tokenSha256 : "";
}

function kinds(changes: readonly Change[]): string[] {
  return changes.map((change) => ("put" in change ? change.put.kind : `-${change.remove.kind}`));
}

function nodeOf(changes: readonly Change[]): NodeObject | undefined {
  for (const change of changes) {
    if ("put" in change && change.put.kind === "node") return change.put;
  }
  return undefined;
}

test("an ID that holds a grant or a flag is written by full administrators only", () => {
  const flagged = sampleEntry("ops", { admin: true });
  const state = stateOf(flagged);
  const another = sampleEntry("ops2", { spiffeId: flagged.spiffeId });
  assert.deepEqual(kinds(proposeEntry(another, FULL)(state)), ["entry"]);
  for (const decide of [
    proposeEntry(another, ENTRIES_ONLY),
    proposeEntry(sampleEntry("new", { downstream: true }), ENTRIES_ONLY),
    proposeEntryRemoval("ops", ENTRIES_ONLY),
    proposeEntryChange("ops", (stored) => ({ ...stored, admin: false }), ENTRIES_ONLY),
  ]) {
    assert.throws(() => decide(state), { code: "ENTRY_RESERVED" });
  }
  const grants = [...ENTRIES_ONLY.grants, { holder: another.spiffeId, scope: "read" } as const];
  assert.throws(() => proposeEntry(another, { caller: ADMIN, grants })(stateOf()), {
    code: "ENTRY_RESERVED",
  });
  const reader = { caller: ADMIN, grants: [{ holder: "local", scope: "read" } as const] };
  assert.throws(() => proposeEntry(another, reader)(stateOf()), { code: "ADMIN_REQUIRED" });
});

/** An entry named as the last segment of its ID, under another. */
function step(name: string, parent: string, over: Partial<EntryObject> = {}): EntryObject {
  return sampleEntry(name, {
    spiffeId: `spiffe://example.org/${name}`,
    parentId: `spiffe://example.org/${parent}`,
    ...over,
  });
}

test("an ID that leads to a flag, at any depth, is written by full administrators only", () => {
  const state = stateOf(
    step("nodes", "spire/server"),
    step("ops", "nodes"),
    step("root", "ops", { admin: true }),
    step("web", "nodes"),
    // A ring below is walked once.
    step("ring", "web"),
    step("web", "ring", { id: "ring-2" }),
  );
  const into = (name: string): EntryObject => step(name, "mine", { id: "mine" });
  for (const name of ["nodes", "ops", "root"]) {
    for (const decide of [
      proposeEntry(into(name), ENTRIES_ONLY),
      proposeEntryRemoval(name, ENTRIES_ONLY),
      proposeEntryChange(name, (stored) => ({ ...stored, hint: "x" }), ENTRIES_ONLY),
    ]) {
      assert.throws(() => decide(state), { code: "ENTRY_RESERVED" }, name);
    }
    assert.deepEqual(kinds(proposeEntry(into(name), FULL)(state)), ["entry"]);
  }
  for (const name of ["web", "ring"]) {
    assert.deepEqual(kinds(proposeEntry(into(name), ENTRIES_ONLY)(state)), ["entry"]);
  }
});

test("an entry that changes nothing is not written, and one that becomes another's double is refused", () => {
  const [a, b] = [sampleEntry("a"), sampleEntry("b")];
  const state = stateOf(a, b);
  const reversed = proposeEntryChange(
    "a",
    (stored) => ({ ...stored, selectors: stored.selectors.toReversed() }),
    FULL,
  );
  assert.deepEqual(reversed(state), []);
  const double = proposeEntryChange("a", () => ({ ...b, id: "a" }), FULL);
  assert.throws(() => double(state), { code: "ENTRY_EXISTS" });
  assert.throws(() => proposeEntryRemoval("c", FULL)(state), { code: "ENTRY_NOT_FOUND" });
});

test("an entry federates only with trust domains whose bundle is here, when created and when changed", () => {
  const bundle: BundleObject = {
    kind: "bundle",
    trustDomain: "other.org",
    jwks: new Uint8Array(),
    sequenceNumber: 1n,
    refreshHintSeconds: 0,
    source: "",
  };
  const entry = sampleEntry("a");
  const wanted = { ...entry, federatesWith: ["other.org"] };
  for (const [decide, ...before] of [
    [proposeEntry(wanted, FULL)],
    [proposeEntryChange("a", () => wanted, FULL), entry],
  ] as const) {
    assert.throws(() => decide(stateOf(...before)), { code: "ENTRY_INVALID" });
    assert.deepEqual(decide(stateOf(...before, bundle)), [{ put: wanted }]);
  }
  const misspelt = { ...wanted, federatesWith: ["other.org", "othr.org"] };
  assert.throws(() => proposeEntry(misspelt, FULL)(stateOf(bundle)), {
    code: "ENTRY_INVALID",
    message: /othr\.org/,
  });
});

test("a node that was evicted and attests again keeps the place of its eviction", () => {
  const facts = {
    spiffeId: sampleNode("n").spiffeId,
    attestationType: "t",
    selectors: [{ type: "a", value: "b" }],
    canReattest: true,
  };
  const again = nodeOf(nodeChanges(stateOf(sampleNode("n", { state: "evicted" })), facts));
  assert.deepEqual(again?.validFrom, { epoch: 16, n: 1 });
  const first = nodeOf(nodeChanges(stateOf(), facts));
  assert.equal(first?.validFrom, undefined);
  assert.deepEqual(nodeChanges(stateOf(first ?? sampleNode("n")), facts), []);
  const changed = nodeChanges(stateOf({ ...(again ?? sampleNode("n")), selectors: [] }), facts);
  assert.deepEqual(nodeOf(changed)?.validFrom, { epoch: 16, n: 1 });
  assert.throws(() => nodeChanges(stateOf(sampleNode("n", { state: "banned" })), facts), {
    code: "AGENT_BANNED",
  });
});

test("no attestor can report a node's own ID as a selector", () => {
  const facts = {
    spiffeId: sampleNode("n").spiffeId,
    attestationType: "t",
    selectors: [{ type: "spiffe_id", value: "spiffe://example.org/spire/agent/other" }],
    canReattest: false,
  };
  assert.deepEqual(nodeOf(nodeChanges(stateOf(), facts))?.selectors, []);
});

test("eviction takes the token's alias with it and lifts a ban; banning twice writes once", () => {
  const node = sampleNode("n", { state: "banned" });
  const own = [{ type: "spiffe_id", value: node.spiffeId }];
  const state = stateOf(
    node,
    sampleEntry("alias", { parentId: node.spiffeId, selectors: own }),
    sampleEntry("w", { parentId: node.spiffeId }),
  );
  const changes = proposeEviction(node.spiffeId)(state);
  assert.deepEqual(kinds(changes), ["node", "-entry"]);
  assert.deepEqual(proposeBan(node.spiffeId)(state), []);
  const gone = stateOf(sampleNode("n", { state: "evicted" }));
  for (const decide of [proposeBan(node.spiffeId), proposeEviction(node.spiffeId)]) {
    assert.throws(() => decide(gone), { code: "AGENT_NOT_FOUND" });
  }
});

const HASH = "ab".repeat(32);
const SPENDING = {
  tokenSha256: HASH,
  keySha256: new Uint8Array(32),
  nodeId: sampleNode("t").spiffeId,
  nowMs: 1000,
};

function tokenOf(over: Partial<JoinTokenObject> = {}): JoinTokenObject {
  return {
    kind: "joinToken",
    tokenSha256: HASH,
    expiresAtMs: 2000,
    alias: "",
    aliasEntryId: "",
    spent: undefined,
    ...over,
  };
}

test("spending writes token, node and bound alias together, or nothing", () => {
  const alias = sampleEntry("alias", { parentId: "spiffe://example.org/spire/agent/x" });
  const token = tokenOf({ aliasEntryId: "alias", alias: alias.spiffeId });
  const reasons: string[] = [];
  const decide = proposeSpending(SPENDING, (reason) => reasons.push(reason));
  const changes = decide(stateOf(token, alias));
  assert.deepEqual(kinds(changes), ["joinToken", "node", "entry"]);
  const bound = changes.find((change) => "put" in change && change.put.kind === "entry");
  assert.ok(bound !== undefined && "put" in bound && bound.put.kind === "entry");
  assert.equal(bound.put.parentId, SPENDING.nodeId);
  assert.deepEqual(kinds(decide(stateOf(token))), ["joinToken", "node"]);
  for (const state of [stateOf(), stateOf(tokenOf({ expiresAtMs: 1000 }))]) {
    assert.throws(() => decide(state), { code: "ATTESTATION_FAILED" });
  }
  assert.deepEqual(reasons, ["unknown", "expired"]);
});

test("a token whose alias is a reserved ID is made by full administrators only", () => {
  const flagged = sampleEntry("ops", { admin: true });
  const token = {
    tokenSha256: HASH,
    expiresAtMs: 1,
    alias: flagged.spiffeId,
    aliasEntryId: "e",
    trustDomain: "example.org",
    nowMs: 0,
  };
  assert.deepEqual(kinds(proposeToken(token, FULL)(stateOf(flagged))), ["joinToken", "entry"]);
  assert.throws(() => proposeToken(token, ENTRIES_ONLY)(stateOf(flagged)), {
    code: "ENTRY_RESERVED",
  });
  assert.throws(() => proposeToken({ ...token, alias: "" }, ENTRIES_ONLY)(stateOf()), {
    code: "ADMIN_REQUIRED",
  });
  assert.throws(() => proposeToken(token, FULL)(stateOf(tokenOf())), {
    code: "JOIN_TOKEN_EXISTS",
  });
});

test("housekeeping removes what is over, and the alias that nobody took", () => {
  const day = 86_400_000;
  const state = stateOf(
    sampleEntry("old", { expiresAtSeconds: 10 }),
    sampleEntry("new", { expiresAtSeconds: 1_000_000 }),
    sampleEntry("alias"),
    tokenOf({ aliasEntryId: "alias" }),
  );
  assert.deepEqual(overdueChanges(state, 9999), []);
  assert.deepEqual(kinds(overdueChanges(state, 10_000)), ["-entry"]);
  assert.deepEqual(kinds(overdueChanges(state, 2000 + day)), ["-entry", "-joinToken", "-entry"]);
});

test("an entry that nobody can get, or that gives rights, is warned about", () => {
  const entry = sampleEntry("e");
  assert.deepEqual(codes(entry), ["entry.parent_unknown"]);
  assert.deepEqual(codes(entry, sampleNode("n1")), []);
  assert.deepEqual(codes(entry, sampleNode("n1", { state: "banned" })), [
    "entry.parent_unknown",
    "entry.parent_banned",
  ]);
  const below = sampleEntry("b", { parentId: entry.spiffeId, admin: true });
  assert.deepEqual(codes(below, entry), ["entry.flagged"]);
  const alias = sampleEntry("s", { parentId: "spiffe://example.org/spire/server" });
  assert.deepEqual(codes(alias), []);
});

function codes(entry: EntryObject, ...objects: readonly WritableObject[]): string[] {
  return entryWarnings(stateOf(...objects), entry, "example.org").map(({ code }) => code);
}
