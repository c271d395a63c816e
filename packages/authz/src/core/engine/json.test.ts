import assert from "node:assert/strict";
import { test } from "node:test";
import { VALUE_DEPTH_MAX, VALUE_NODES_MAX } from "../../limits.ts";
import { EntityStore } from "./entities.ts";
import { parseRecord, parseValue } from "./json.ts";

/** Sets in each other, so that the innermost is at this depth. */
function nested(depth: number): unknown {
  return depth === 0 ? [] : [nested(depth - 1)];
}

const refused = { code: "VALUE_MALFORMED" };

const MALFORMED: Readonly<Record<string, unknown>> = {
  null: null,
  nothing: undefined,
  "a fraction": 1.5,
  "a number that JSON has rounded": 2 ** 53,
  "no number": Number.NaN,
  "a bigint of 65 bits": 2n ** 63n,
  "a null in a set": [null],
  "a null in a record": { a: null },
  "an entity without an id": { __entity: { type: "User" } },
  "an entity whose type is no name": { __entity: { type: "a b", id: "x" } },
  "an entity with more than an entity": { __entity: { type: "User", id: "x" }, more: 1 },
  "an entity with more inside": { __entity: { type: "User", id: "x", more: 1 } },
  "an extension that is none": { __extn: { fn: "shell", arg: "x" } },
  "an extension value that does not parse": { __extn: { fn: "ip", arg: "300.0.0.1" } },
  "an extension with both kinds of arguments": { __extn: { fn: "ip", arg: "::1", args: ["::1"] } },
  "an extension without arguments": { __extn: { fn: "ip" } },
  "an expression": { __expr: "1 + 1" },
  "nesting beyond the limit": nested(VALUE_DEPTH_MAX + 1),
  "members beyond the limit": Array.from({ length: VALUE_NODES_MAX }, () => 1),
};
for (const [name, json] of Object.entries(MALFORMED)) {
  test(`${name} is no value, alone or in a record, of an entity or a context`, () => {
    assert.throws(() => parseValue(json), refused);
    assert.throws(() => parseRecord({ a: json }), refused);
    const uid = { type: "User", id: "alice" };
    for (const part of ["attrs", "tags"]) {
      assert.throws(() => EntityStore.parse([{ uid, [part]: { a: json } }]), refused);
    }
  });
}

test("values at the limits are taken", () => {
  parseValue(nested(VALUE_DEPTH_MAX));
  parseValue(Array.from({ length: VALUE_NODES_MAX - 1 }, () => 1));
  assert.equal(parseValue(-(2n ** 63n)), -(2n ** 63n));
});

test("a context is a record, and nothing else that is a value", () => {
  assert.deepEqual([...parseRecord({ a: "x" }).attributes], [["a", "x"]]);
  for (const json of [[], "x", 1, true, { __entity: { type: "User", id: "x" } }]) {
    assert.throws(() => parseRecord(json), refused);
  }
});
