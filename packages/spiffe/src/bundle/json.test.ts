import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import * as fc from "fast-check";
import { isJsonArray, isJsonObject, type JsonValue, parseJson } from "./json.ts";

const read = (text: string): JsonValue => parseJson(text, { lengthMax: 100_000 });

test("BND-08 (Bundle §4.1.1): an integer of 64 bits and more keeps every digit", () => {
  assert.equal(read("18446744073709551615"), 18446744073709551615n);
  assert.equal(read("-0"), 0n);
  assert.equal(read("1.5"), 1.5);
  assert.equal(read("1e3"), 1000);
});

test("BND-20 (Bundle §5.1.1): a name that occurs twice is refused, also when written by escapes", () => {
  for (const text of ['{"a":1,"a":1}', String.raw`{"a":1,"\u0061":2}`, '{"x":{"b":1,"b":1}}']) {
    assert.throws(() => read(text), refusal("duplicate-member"));
  }
});

test("a member named __proto__ is only a member", () => {
  const value = read('{"__proto__":{"keys":[]}}');
  assert.ok(isJsonObject(value));
  assert.deepEqual([...value.keys()], ["__proto__"]);
});

test("text that is no JSON is refused with a code", () => {
  for (const text of [
    ...'|   |{|[|"|{]|[1,]|{"a"}|{"a":}|{"a":1,}|{a:1}|'.split("|"),
    ..."'a'|01|+1|.5|1.|1e|-|NaN|Infinity|tru|nulll|1 2|[1 2]|\u00a01|\ufeff{}".split("|"),
    ...String.raw`"\x"|"\u12g4"|"\u1"|"\"|"`.split("|"),
    '"\n"',
    '"\u0000"',
    "9".repeat(101),
  ]) {
    assert.throws(() => read(text), isBonafideError, JSON.stringify(text));
  }
});

test("nesting deeper than 32 and text beyond the limit are refused", () => {
  read("[".repeat(32) + "]".repeat(32));
  assert.throws(() => read("[".repeat(34) + "]".repeat(34)), refusal("too-deep"));
  assert.throws(() => read("[".repeat(90_000)), refusal("too-deep"));
  assert.throws(() => parseJson("[1]", { lengthMax: 2 }), refusal("too-long"));
});

test("what JSON.stringify writes is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: "binary" }), (text) => {
      assert.deepEqual(plain(read(text)), JSON.parse(text));
    }),
    { numRuns: 1000 },
  );
});

test("mutated documents are refused exactly when JSON.parse refuses them", () => {
  const edit = fc.tuple(fc.nat(60), fc.constantFrom(...'{}[]",:\\0x\u007f\u0085 -.e1tn'.split("")));
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.array(edit, { maxLength: 3 }), (json, edits) => {
      let text = json;
      for (const [at, c] of edits) text = text.slice(0, at) + c + text.slice(at + 1);
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        assert.throws(() => read(text), isBonafideError, text);
        return;
      }
      try {
        assert.deepEqual(plain(read(text)), expected);
      } catch (error) {
        assert.ok(isBonafideError(error) && error.details["reason"] === "duplicate-member", text);
      }
    }),
    { numRuns: 5000 },
  );
});

function plain(value: JsonValue): unknown {
  if (typeof value === "bigint") return value === 0n ? 0 : Number(value);
  if (isJsonArray(value)) return value.map(plain);
  if (!isJsonObject(value)) return value;
  const out = {};
  for (const [name, member] of value) {
    Object.defineProperty(out, name, {
      value: plain(member),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return out;
}

function refusal(reason: string): (error: unknown) => boolean {
  return (error) =>
    isBonafideError(error, "BUNDLE_MALFORMED") && error.details["reason"] === reason;
}
