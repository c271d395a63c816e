import assert from "node:assert/strict";
import { test } from "node:test";
import { findChecks } from "./find-checks.ts";
import { pick } from "./scope.ts";

function found(source: string): readonly string[] {
  return findChecks("a.ts", source).map(({ id, start, end }) => {
    assert.ok(source.slice(start, end) !== "");
    return id.replace("a.ts ", "");
  });
}

test("what throws or answers with a refusal is a check, each side of an || one of its own", () => {
  const source = `
    function parse(x: unknown): string | false {
      if (x === undefined || isBad(x)) throw new Error("bad");
      if (x === undefined) { note(x); throw new Error("again"); }
      if (a) return false;
      if (b) return "is a link";
      if (c) return refused("x");
      if (d) faults.push("x");
      return "";
    }
    class Held { read() { if (this.x) throw new Error("x"); } }
    const look = () => { if (e) return { kind: "unreadable" }; return 1; };`;
  assert.deepEqual(found(source), [
    "parse: x === undefined",
    "parse: isBad(x)",
    "parse: x === undefined #2",
    "parse: a",
    "parse: b",
    "parse: c",
    "parse: d",
    "read: this.x",
    "look: e",
  ]);
});

test("what only chooses is no check", () => {
  assert.deepEqual(
    found(`function f(x: number) { if (x) return 1; if (x) x++; if (x) return g(x); return 2; }`),
    [],
  );
});

test("a seed picks the same checks again, and another seed others", () => {
  const from = Array.from({ length: 100 }, (_, i) => i);
  assert.deepEqual(pick(from, 5, 7), pick(from, 5, 7));
  assert.notDeepEqual(pick(from, 5, 7), pick(from, 5, 8));
  assert.equal(new Set(pick(from, 100, 1)).size, 100);
});
