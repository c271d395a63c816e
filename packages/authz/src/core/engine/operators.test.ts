import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import {
  compilePolicies,
  decide,
  EMPTY_RECORD,
  enforce,
  EntityStore,
  EntityUid,
} from "../../index.ts";

const all = { op: "All" };
const alice = new EntityUid("User", "alice");
const request = {
  principal: alice,
  action: new EntityUid("Action", "view"),
  resource: new EntityUid("Doc", "plan"),
  context: EMPTY_RECORD,
};

function policyOf(effect: string, ...bodies: unknown[]): unknown {
  const conditions = bodies.map((body) => ({ kind: "when", body }));
  return { effect, principal: all, action: all, resource: all, conditions };
}

/** What one expression of a permit gives: true, false, or the kind of its error. */
function outcome(body: unknown): boolean | string {
  const compiled = compilePolicies([["p", policyOf("permit", body)]]);
  const { decision, faults } = decide(compiled, EntityStore.of([]), request);
  return faults[0]?.fault ?? decision === "allow";
}

function refusal(policy: unknown, code: string): void {
  assert.throws(
    () => compilePolicies([["p", policy]]),
    (error) => isBonafideError(error, code) && error.details["policy"] === "p",
  );
}

const groupOf = (id: string): EntityUid => new EntityUid("G", id);
const value = (json: unknown): unknown => ({ Value: json });
const pair = (left: unknown, right: unknown): unknown => ({
  left: value(left),
  right: value(right),
});
const MAX = 2n ** 63n - 1n;

test("integers are exact over all 64 bits and err beyond them", () => {
  for (const [operator, a, b, result] of [
    ["+", 2 ** 53 - 1, 2 ** 53 - 1, 2n ** 54n - 2n],
    ["+", MAX, 0, MAX],
    ["-", -MAX, 1, -MAX - 1n],
    ["-", 2n ** 53n, 1, 2 ** 53 - 1],
    ["*", 2 ** 32, 2 ** 30, 2n ** 62n],
    ["*", 0, -1, 0],
  ] as const) {
    const body = { "==": { left: { [operator]: pair(a, b) }, right: value(result) } };
    assert.equal(outcome(body), true, `${a} ${operator} ${b}`);
  }
  for (const [operator, a, b] of [
    ["+", MAX, 1],
    ["-", -MAX - 1n, 1],
    ["*", 2 ** 32, 2 ** 31],
    ["*", -MAX - 1n, -1],
  ] as const) {
    const body = { "==": { left: { [operator]: pair(a, b) }, right: value(0) } };
    assert.equal(outcome(body), "overflow", `${a} ${operator} ${b}`);
  }
  const least = { neg: { arg: value(-MAX - 1n) } };
  assert.equal(outcome({ "==": { left: least, right: value(0) } }), "overflow");
});

test("a number that JSON has rounded is refused, and one beyond 64 bits", () => {
  for (const number of [2 ** 53, 1.5, Number.NaN, 2n ** 63n, -(2n ** 63n) - 1n]) {
    refusal(policyOf("permit", { "==": pair(number, 0) }), "POLICY_MALFORMED");
  }
});

test("what is not evaluated is refused when compiled", () => {
  const unsupported: readonly unknown[] = [
    { frobnicate: [value(1)] },
    { ip: [] },
    { ip: [value("a"), value("b")] },
    { Var: "weather" },
    { Slot: "?principal" },
    { toString: [value(1)] },
    { constructor: [value(1)] },
    { error: [value("x")] },
  ];
  for (const body of unsupported) {
    assert.throws(
      () => compilePolicies([["p", policyOf("permit", body)]]),
      (error) => isBonafideError(error) && /^POLICY_(UNSUPPORTED|MALFORMED)$/.test(error.code),
    );
  }
  const template = { ...Object(policyOf("permit")), principal: { op: "==", slot: "?principal" } };
  refusal(template, "POLICY_UNSUPPORTED");
});

test("what is no policy is refused when compiled", () => {
  for (const body of [
    null,
    1,
    "x",
    [],
    {},
    { Value: null },
    { Value: 1, Var: "context" },
    { "&&": [] },
    { "&&": { left: value(true) } },
    { Set: {} },
    { Record: [] },
    { ".": { left: value(1) } },
    { has: { left: value(1), attr: [] } },
    { like: { left: value("a"), pattern: ["Joker"] } },
    { like: { left: value("a") } },
    { is: { left: value(1), entity_type: "no name" } },
    value({ __entity: { type: "U" } }),
    value({ __extn: 1 }),
    value({ __expr: "x" }),
    value({ __entity: {}, more: 1 }),
  ]) {
    refusal(policyOf("permit", body), "POLICY_MALFORMED");
  }
  for (const policy of [
    null,
    {},
    { effect: "permit" },
    { ...Object(policyOf("allow")) },
    { ...Object(policyOf("permit")), principal: { op: "like" } },
    { ...Object(policyOf("permit")), principal: { op: "==", entity: { type: "U" } } },
    { ...Object(policyOf("permit")), principal: { op: "in", entities: [] } },
    { ...Object(policyOf("permit")), action: { op: "is", entity_type: "U" } },
    { ...Object(policyOf("permit")), conditions: [{ kind: "maybe", body: value(true) }] },
    { ...Object(policyOf("permit")), conditions: {} },
  ]) {
    refusal(policy, "POLICY_MALFORMED");
  }
  assert.throws(() =>
    compilePolicies([
      ["p", policyOf("permit")],
      ["p", policyOf("permit")],
    ]),
  );
});

test("depth and size of a policy are bounded", () => {
  let deep: unknown = value(true);
  for (let i = 0; i < 300; i++) deep = { "!": { arg: deep } };
  assert.equal(outcome(deep), true);
  for (let i = 0; i < 200; i++) deep = { "!": { arg: deep } };
  refusal(policyOf("permit", deep), "POLICY_TOO_LARGE");
  const wide = { isEmpty: { arg: { Set: Array.from({ length: 20_001 }, () => value(1)) } } };
  refusal(policyOf("permit", wide), "POLICY_TOO_LARGE");
});

test("an erring forbid is skipped by the decision, and denies and alarms when enforced", () => {
  const missing = { ".": { left: { Var: "context" }, attr: "missing" } };
  const compiled = compilePolicies([
    ["guard", policyOf("forbid", missing)],
    ["open", policyOf("permit")],
  ]);
  const decision = decide(compiled, EntityStore.of([]), request);
  assert.equal(decision.decision, "allow");
  assert.deepEqual(decision.determining, ["open"]);
  assert.deepEqual(decision.faults, [
    { policyId: "guard", effect: "forbid", fault: "attribute-missing" },
  ]);
  const verdict = enforce(decision);
  assert.deepEqual([verdict.allowed, verdict.alarm], [false, true]);
});

test("an erring permit is skipped and raises no alarm", () => {
  const compiled = compilePolicies([
    ["broken", policyOf("permit", value(1))],
    ["open", policyOf("permit")],
  ]);
  const verdict = enforce(decide(compiled, EntityStore.of([]), request));
  assert.deepEqual([verdict.allowed, verdict.alarm], [true, false]);
});

test("nothing permits: denied, with no determining policy", () => {
  const decision = decide(compilePolicies([]), EntityStore.of([]), request);
  assert.deepEqual(decision, { decision: "deny", determining: [], faults: [] });
});

test("an entity may not be doubled, nor its own ancestor, nor have endless ancestors", () => {
  for (const inputs of [
    [
      { uid: alice, parents: [] },
      { uid: alice, parents: [] },
    ],
    [{ uid: alice, parents: [alice] }],
    [
      { uid: groupOf("a"), parents: [groupOf("b")] },
      { uid: groupOf("b"), parents: [groupOf("c")] },
      { uid: groupOf("c"), parents: [groupOf("a")] },
    ],
    Array.from({ length: 300 }, (_, i) => ({
      uid: groupOf(`${i}`),
      parents: [groupOf(`${i + 1}`)],
    })),
  ]) {
    assert.throws(
      () => EntityStore.of(inputs),
      (error) => isBonafideError(error, "ENTITY_INVALID"),
    );
  }
});

test("an overlay passes on the ancestors of what lies beneath", () => {
  const [staff, people] = [new EntityUid("G", "staff"), new EntityUid("G", "people")];
  const below = EntityStore.of([{ uid: staff, parents: [people] }]);
  const store = EntityStore.of([{ uid: alice, parents: [staff] }], below);
  assert.deepEqual([...(store.find(alice.key)?.ancestors ?? [])], [staff.key, people.key]);
  assert.equal(store.find(staff.key)?.ancestors.size, 1);
});
