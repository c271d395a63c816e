import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bench, sampleOf, type Target } from "./bench.ts";
import { BRIEF, declarationProblems, FULL, measure, reaches } from "./measure.ts";
import { renderResults } from "./results.ts";

/** A bench whose windows give these values, over a yardstick of 10. */
function benchOf(target: Target | null, values: readonly number[]): Bench {
  const left = [...values];
  return {
    name: "planted",
    unit: "1/s",
    target,
    run: () => Promise.resolve(sampleOf(left.shift() ?? 0, 10)),
  };
}

test("the best window is the largest for atLeast and the smallest for atMost", async () => {
  const up = benchOf({ of: "ratio", atLeast: 0.5 }, [3, 7, 5, 1, 2]);
  assert.deepEqual(await measure(up, FULL), {
    bench: "planted",
    value: 7,
    unit: "1/s",
    yardstick: 10,
    ratio: 0.7,
  });
  const down = benchOf({ of: "value", atMost: 4 }, [3, 7, 5, 1, 2]);
  assert.equal((await measure(down, FULL)).value, 1);
  assert.equal((await measure(benchOf(null, [3]), BRIEF)).value, 3);
  assert.equal((await measure(benchOf(null, [3, 7, 5, 1, 2]), FULL)).value, 7, "a rate");
  const took = { ...benchOf(null, [3, 7, 5, 1, 2]), unit: "ms" };
  assert.equal((await measure(took, FULL)).value, 1, "a time");
});

test("a target is reached or missed by its own number", async () => {
  for (const [target, reached] of [
    [{ of: "ratio", atLeast: 0.7 }, true],
    [{ of: "ratio", atLeast: 0.71 }, false],
    [{ of: "value", atMost: 7 }, true],
    [{ of: "value", atMost: 6 }, false],
  ] as const) {
    const bench = benchOf(target, [7]);
    assert.equal(reaches(bench, await measure(bench, BRIEF)), reached);
  }
});

test("a number that is not finite is an error", async () => {
  await assert.rejects(measure(benchOf(null, [Number.NaN]), BRIEF));
});

test("doubled names, empty targets and no benches are problems", () => {
  const bench = benchOf({ of: "value", atMost: 1 }, []);
  assert.deepEqual(declarationProblems([bench]), []);
  assert.equal(declarationProblems([bench, bench]).length, 1);
  assert.equal(declarationProblems([benchOf({ of: "value" }, [])]).length, 1);
  assert.equal(declarationProblems([]).length, 1);
});

test("the page names the machine, and what was missed", async () => {
  const bench = benchOf({ of: "ratio", atLeast: 0.9 }, [7]);
  const line = await measure(bench, BRIEF);
  const setting = { machine: "a box", node: "26", commit: "abc", date: "2026-01-01" };
  const page = renderResults(setting, [{ bench, line }]);
  assert.ok(page.includes("- machine: a box"));
  assert.ok(page.includes("| planted | 7.00 1/s | 10.0 1/s | 0.70 | ratio >= 0.9 | **no** |"));
});
