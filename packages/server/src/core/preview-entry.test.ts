import assert from "node:assert/strict";
import { test } from "node:test";
import type { EntryObject, NodeObject } from "@bonafide/ledger";
import { sampleEntry, sampleNode } from "../lane/testing/sample-objects.ts";
import { type EntryPreview, previewEntry, type PreviewedState } from "./preview-entry.ts";

const TD = "example.org";
const SERVER = `spiffe://${TD}/spire/server`;
const NOW = 1_800_000_000_000;
const n1 = sampleNode("n1", { selectors: [{ type: "zone", value: "a" }] });
const n2 = sampleNode("n2", { selectors: [{ type: "zone", value: "a" }] });
const n3 = sampleNode("n3", { selectors: [{ type: "zone", value: "b" }] });
const alias = sampleEntry("alias", {
  parentId: SERVER,
  spiffeId: `spiffe://${TD}/zone-a`,
  selectors: [{ type: "zone", value: "a" }],
});
const uid = (value: string) => ({ type: "unix", value: `uid:${value}` });

function stateOf(nodes: readonly NodeObject[], ...entries: readonly EntryObject[]): PreviewedState {
  return {
    entriesByParent: (id) => entries.filter(({ parentId }) => parentId === id),
    entriesBySpiffeId: (id) => entries.filter(({ spiffeId }) => spiffeId === id),
    liveNodes: () => nodes,
  };
}

function creating(entry: EntryObject, ...others: readonly EntryObject[]): EntryPreview {
  return previewEntry(stateOf([n1, n2, n3], ...others), { kind: "create", entry }, TD, NOW);
}

function deleting(entry: EntryObject, ...others: readonly EntryObject[]): EntryPreview {
  const state = stateOf([n1, n2, n3], entry, ...others);
  return previewEntry(state, { kind: "delete", entry }, TD, NOW);
}

const codes = ({ relations }: EntryPreview): readonly string[] =>
  relations.map(({ code, entry }) => `${code} ${entry.id}`);

test("an entry under a node is gained by that node, under an alias by every node that fits it", () => {
  assert.deepEqual(creating(sampleEntry("a")), {
    nodes: 1,
    effects: [{ nodeId: n1.spiffeId, gained: ["a"], lost: [] }],
    relations: [],
  });
  const { nodes, effects } = creating(sampleEntry("a", { parentId: alias.spiffeId }), alias);
  assert.equal(nodes, 2);
  assert.deepEqual(
    effects.map(({ nodeId }) => nodeId),
    [n1.spiffeId, n2.spiffeId],
  );
});

test("an alias brings what hangs below it, and takes it away; nobody gets the alias itself", () => {
  const below = sampleEntry("below", { parentId: alias.spiffeId });
  const last = sampleEntry("last", { parentId: below.spiffeId });
  const made = creating(alias, below, last);
  assert.deepEqual(made.effects[0], {
    nodeId: n1.spiffeId,
    gained: ["below", "last"],
    lost: [],
  });
  assert.deepEqual(deleting(alias, below, last).effects[1], {
    nodeId: n2.spiffeId,
    gained: [],
    lost: ["below", "last"],
  });
});

test("what a node holds by another way is neither gained nor lost", () => {
  const below = sampleEntry("below", { parentId: alias.spiffeId });
  const second = sampleEntry("second", { ...alias, id: "second" });
  assert.deepEqual(creating(second, alias, below), { nodes: 2, effects: [], relations: [] });
  assert.deepEqual(deleting(second, alias, below).effects, []);
});

test("a parent that nobody has, an expired way and circles reach no node and end", () => {
  assert.equal(creating(sampleEntry("a", { parentId: `spiffe://${TD}/nobody` })).nodes, 0);
  const past = { expiresAtSeconds: NOW / 1000 };
  const child = sampleEntry("a", { parentId: alias.spiffeId });
  assert.equal(creating(child, { ...alias, ...past }).nodes, 0);
  assert.equal(creating(sampleEntry("a", past)).nodes, 0);
  const [x, y] = [`spiffe://${TD}/x`, `spiffe://${TD}/y`];
  const one = sampleEntry("one", { spiffeId: x, parentId: y });
  const two = sampleEntry("two", { spiffeId: y, parentId: x });
  assert.equal(creating(two, one).nodes, 0);
});

test("an entry that adds nothing, and one that makes another needless, are told", () => {
  const spiffeId = `spiffe://${TD}/web`;
  const wide = sampleEntry("wide", { spiffeId, selectors: [uid("1")] });
  const narrow = sampleEntry("narrow", { spiffeId, selectors: [uid("1"), uid("2")] });
  assert.deepEqual(codes(creating(narrow, wide)), ["entry.redundant wide"]);
  assert.deepEqual(codes(creating(wide, narrow)), ["entry.makes_redundant narrow"]);
  assert.deepEqual(codes(deleting(narrow, wide)), ["entry.identity_stays wide"]);
  assert.deepEqual(codes(deleting(wide, narrow)), []);
  const elsewhere = sampleEntry("e", { ...wide, id: "e", parentId: n3.spiffeId });
  assert.deepEqual(codes(creating(narrow, elsewhere)), []);
});

test("of two entries with one hint the older is told to hide the newer", () => {
  const old = sampleEntry("old", { hint: "db", selectors: [uid("1")], createdAtSeconds: 1 });
  const fresh = sampleEntry("new", { hint: "db", selectors: [uid("1"), uid("2")] });
  assert.deepEqual(codes(creating(fresh, old)), ["entry.shadowed old"]);
  const wider = sampleEntry("new", { hint: "db", selectors: [uid("1")] });
  const narrowOld = sampleEntry("old", {
    hint: "db",
    selectors: fresh.selectors,
    createdAtSeconds: 1,
  });
  assert.deepEqual(codes(creating(wider, narrowOld)), ["entry.shadowed_for_some old"]);
  assert.deepEqual(codes(deleting(old, fresh)), ["entry.unshadows new"]);
  assert.deepEqual(codes(deleting(fresh, old)), []);
});

test("many nodes are counted, and only the first looked at", () => {
  const nodes = Array.from({ length: 200 }, (_, i) =>
    sampleNode(`m${i}`, { selectors: [{ type: "zone", value: "a" }] }),
  );
  const entry = sampleEntry("a", { parentId: alias.spiffeId });
  const preview = previewEntry(stateOf(nodes, alias), { kind: "create", entry }, TD, NOW);
  assert.equal(preview.nodes, 200);
  assert.equal(preview.effects.length, 50);
});
