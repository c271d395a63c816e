import assert from "node:assert/strict";
import { test } from "node:test";
import { recordLongRuns } from "./long-runs.ts";
import type { TestRun } from "./test-run.ts";

const SETTING = { commit: "abc1234", date: "2026-11-22" };

function runOf(file: string, name: string, outcome: "passed" | "failed"): TestRun {
  return {
    results: [{ file, names: [name], outcome, durationMs: 61_400 }],
    notes: [{ file, text: "seed 7" }],
    empty: [],
  };
}

test("a run replaces its own row and leaves those of other tests", () => {
  const first = recordLongRuns("", runOf("a.ts", "200 | inputs", "failed"), SETTING);
  const second = recordLongRuns(first, runOf("b.ts", "holds", "passed"), SETTING);
  const third = recordLongRuns(second, runOf("a.ts", "200 | inputs", "passed"), {
    ...SETTING,
    commit: "def5678",
  });
  assert.deepEqual(third.trimEnd().split("\n").slice(-2), [
    "| a.ts: 200 \\| inputs | passed | 61 s | seed 7 | def5678 | 2026-11-22 |",
    "| b.ts: holds | passed | 61 s | seed 7 | abc1234 | 2026-11-22 |",
  ]);
  assert.equal(recordLongRuns(third, { results: [], notes: [], empty: [] }, SETTING), third);
});
