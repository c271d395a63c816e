import assert from "node:assert/strict";
import { test } from "node:test";
import { compareWithCedar } from "./testing/differential.ts";

const SEED = Number(process.env["AUTHZ_FUZZ_SEED"] ?? 7);
const SLICES = 50;
const SLICE = 20_000;

for (let slice = 0; slice < SLICES; slice++) {
  const seed = SEED + slice * 1_000_000;
  test(`${SLICE} of a million random requests get the answer of Cedar, from seed ${seed}`, () => {
    const report = compareWithCedar({ seed, requests: SLICE, requestsPerWorld: 200 });
    assert.deepEqual(report.differences, []);
    assert.ok(report.requests >= SLICE);
  });
}
