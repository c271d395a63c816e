import assert from "node:assert/strict";
import { test } from "node:test";
import { attestorsByName } from "./node-attestors.ts";

const attest = (): Promise<never> => Promise.reject(new Error("not asked"));

test("two attestors of one name, one called join_token, and one without a name are refused", () => {
  for (const names of [["a", "a"], ["join_token"], ["A"], [""], ["a/b"]]) {
    assert.throws(() => attestorsByName(names.map((name) => ({ name, attest }))), {
      code: "SERVER_OPTIONS_INVALID",
    });
  }
  assert.deepEqual([...attestorsByName([{ name: "x509pop", attest }]).keys()], ["x509pop"]);
});
