import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type ClockReading, jumpBetween } from "./clock-jump.ts";
import { planAfterJump } from "./rotation.ts";

/** A reading that took `tookMs`, of a wall clock that is `aheadMs` before the monotonic one. */
function reading(monotonicMs: number, aheadMs: number, tookMs = 0): ClockReading {
  return { beforeMs: monotonicMs, now: monotonicMs + aheadMs, afterMs: monotonicMs + tookMs };
}

test("sleep and settings are jumps, the passing of time is not", () => {
  assert.equal(jumpBetween(reading(0, 5000), reading(60_000, 5000)), 0);
  assert.equal(jumpBetween(reading(0, 0), reading(1000, 8 * 86_400_000)), 8 * 86_400_000);
  assert.equal(jumpBetween(reading(0, 0), reading(1000, -3_600_000)), -3_600_000);
  assert.equal(jumpBetween(reading(0, 0), reading(1000, 999)), 0);
  assert.equal(jumpBetween(reading(0, 0), reading(1000, -999)), 0);
});

test("a process that stood still between two reads has seen no jump, whenever it stood still", () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.nat(10_000),
      fc.nat(10_000),
      fc.nat(10_000),
      (early, earlyAfter, late, lateAfter) => {
        // Wall time is read at some instant of each reading; the clocks themselves never part.
        const first = { beforeMs: 0, now: early, afterMs: early + earlyAfter };
        const begin = 100_000;
        const later = { beforeMs: begin, now: begin + late, afterMs: begin + late + lateAfter };
        assert.equal(jumpBetween(first, later), 0);
      },
    ),
  );
});

test("after a jump an SVID is due at once, and its end never comes later than planned", () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.nat(10_000),
      fc.integer(),
      fc.integer(),
      fc.nat(30_000),
      (renewAtMs, more, notAfter, now, monotonicMs) => {
        const plan = { renewAtMs, expiresAtMs: renewAtMs + more };
        const after = planAfterJump(plan, notAfter, { now, monotonicMs });
        assert.ok(after.renewAtMs <= monotonicMs && after.renewAtMs <= plan.renewAtMs);
        assert.ok(after.expiresAtMs <= plan.expiresAtMs);
        if (now >= notAfter) assert.ok(after.expiresAtMs <= monotonicMs, "over by the wall clock");
        // Set back, the wall clock gives nothing that the plan did not.
        if (notAfter - now >= plan.expiresAtMs) assert.equal(after.expiresAtMs, plan.expiresAtMs);
      },
    ),
  );
});
