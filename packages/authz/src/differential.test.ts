import assert from "node:assert/strict";
import { test } from "node:test";
import { compareWithCedar } from "./testing/differential.ts";

// 100,000 random requests in CI, in slices with a name each, so that a slow machine shows which part it is in.
// The seed is printed; set AUTHZ_FUZZ_SEED to look at other worlds, or at one that failed elsewhere.

const SEED = Number(process.env["AUTHZ_FUZZ_SEED"] ?? 20_261_122);
const SLICES = 10;
const SLICE = 10_000;
const REQUESTS_PER_WORLD = 100;

for (let slice = 0; slice < SLICES; slice++) {
  const seed = SEED + slice * 1_000_000;
  test(`${SLICE} random requests get the answer of Cedar, from seed ${seed}`, (t) => {
    const report = compareWithCedar({
      seed,
      requests: SLICE,
      requestsPerWorld: REQUESTS_PER_WORLD,
    });
    assert.deepEqual(report.differences, []);
    assert.ok(report.requests >= SLICE);
    // A generator that only makes denials would prove little.
    for (const share of [report.allowed, report.erring, report.determined]) {
      assert.ok(share > SLICE / 20, JSON.stringify(report));
    }
    const { requests, allowed, erring, determined } = report;
    t.diagnostic(
      `${requests} requests: ${allowed} allowed, ${determined} determined, ${erring} erring`,
    );
  });
}
