import assert from "node:assert/strict";
import { test } from "node:test";
import { compareWithCedar } from "./differential.ts";

/** A row of slices of the differential test. */
export interface SlicesOptions {
  readonly seed: number;
  readonly slices: number;
  readonly requestsPerSlice: number;
}

/**
 * Declares one test per slice, so that a slow machine shows which part it is in. The seed is in the name; set
 * AUTHZ_FUZZ_SEED to look at other worlds, or at one that failed elsewhere.
 */
export function compareSlices({ seed, slices, requestsPerSlice }: SlicesOptions): void {
  const first = Number(process.env["AUTHZ_FUZZ_SEED"] ?? seed);
  for (let slice = 0; slice < slices; slice++) {
    const from = first + slice * 1_000_000;
    test(`${requestsPerSlice} random requests get Cedar's answer, from seed ${from}`, (t) => {
      const report = compareWithCedar({
        seed: from,
        requests: requestsPerSlice,
        requestsPerWorld: 100,
      });
      assert.deepEqual(report.differences, []);
      assert.ok(report.requests >= requestsPerSlice);
      // A generator that makes only denials would prove little.
      const { requests, allowed, erring, determined } = report;
      for (const share of [allowed, erring, determined]) assert.ok(share > requests / 20);
      t.diagnostic(`${allowed} allowed, ${determined} determined, ${erring} with errors`);
    });
  }
}
