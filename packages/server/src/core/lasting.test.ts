import assert from "node:assert/strict";
import { test } from "node:test";
import { lastingOfEnds, lastingOfLives } from "./lasting.ts";

const HOUR = 3_600_000;

test("of lives: the shortest as it is just before its renewal, the longest as if just signed", () => {
  assert.deepEqual(lastingOfLives([HOUR, 4 * HOUR], 24 * HOUR), {
    firstMs: 0.45 * HOUR,
    lastMs: 4 * HOUR,
  });
});

test("nothing outlives the authority that signed it", () => {
  assert.deepEqual(lastingOfLives([HOUR, 4 * HOUR], 2 * HOUR), {
    firstMs: 0.45 * HOUR,
    lastMs: 2 * HOUR,
  });
  assert.deepEqual(lastingOfLives([HOUR], 60_000), { firstMs: 60_000, lastMs: 60_000 });
  assert.deepEqual(lastingOfLives([HOUR], -1), { firstMs: 0, lastMs: 0 });
});

test("of none it is nothing; what has ended does not count", () => {
  assert.deepEqual(lastingOfLives([], HOUR), { firstMs: 0, lastMs: 0 });
  assert.deepEqual(lastingOfEnds([], 0), { firstMs: 0, lastMs: 0 });
  assert.deepEqual(lastingOfEnds([900, 1000, 1500, 4000], 1000), { firstMs: 500, lastMs: 3000 });
});
