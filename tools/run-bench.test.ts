import assert from "node:assert/strict";
import { test } from "node:test";
import { plantTree } from "./testing/planted-tree.ts";

const BENCHES = `export const benches = [
  { name: "fast", unit: "1/s", target: { of: "ratio", atLeast: 0.5 },
    run: () => Promise.resolve({ value: 6, yardstick: 10, ratio: 0.6 }) },
  { name: "slow/p99", unit: "ms", target: { of: "value", atMost: 5 },
    run: () => Promise.resolve({ value: 9, yardstick: null, ratio: null }) },
];`;

test("--json prints one object a line, and a missed target is no failure by itself", () => {
  using tree = plantTree({ "bench/a.ts": BENCHES });
  const { code, text } = tree.run("run-bench.ts", ["--json", "--brief"]);
  assert.equal(code, 0, text);
  const lines: unknown[] = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(lines, [
    { bench: "fast", value: 6, unit: "1/s", yardstick: 10, ratio: 0.6 },
    { bench: "slow/p99", value: 9, unit: "ms", yardstick: null, ratio: null },
  ]);
});

test("--check fails on a missed target, and only on the named benches", () => {
  using tree = plantTree({ "bench/a.ts": BENCHES });
  assert.equal(tree.run("run-bench.ts", ["--brief", "--check"]).code, 1);
  assert.equal(tree.run("run-bench.ts", ["--brief", "--check", "slow"]).code, 1);
  assert.equal(tree.run("run-bench.ts", ["--brief", "--check", "fast"]).code, 0);
});

for (const [name, files, args] of [
  ["a bench that errs", { "bench/a.ts": BENCHES.replace("value: 6", "value: NaN") }, []],
  ["a file without benches", { "bench/a.ts": BENCHES, "bench/b.ts": "export {};" }, []],
  ["an unknown name", { "bench/a.ts": BENCHES }, ["medium"]],
  ["no benches at all", { "bench/readme.md": "" }, []],
] as const) {
  test(`fails on ${name}`, () => {
    using tree = plantTree(files);
    assert.equal(tree.run("run-bench.ts", ["--brief", ...args]).code, 1);
  });
}
