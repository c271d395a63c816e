import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { groupKey } from "./group-key.ts";

test("a path that spells further selectors is not the set that has them", () => {
  const victim = [
    { type: "unix", value: "path:/d/v" },
    { type: "unix", value: "supplementary_gid:5" },
  ];
  const attacker = [{ type: "unix", value: "path:/d/v\nunix:supplementary_gid:5" }];
  assert.notEqual(groupKey(victim), groupKey(attacker));
});

test("different sets have different keys, whatever their texts", () => {
  const text = fc.string({ unit: fc.constantFrom("a", ":", "\n", '"', "\\", ",", "[", "]") });
  const set = fc.array(fc.record({ type: text, value: text }), { maxLength: 4 });
  fc.assert(
    fc.property(set, set, (a, b) => {
      const same =
        a.length === b.length &&
        a.every(({ type, value }, i) => type === b[i]?.type && value === b[i]?.value);
      assert.equal(groupKey(a) === groupKey(b), same);
    }),
  );
});
