import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@bonafide/lifetime/testing";
import { watchClockJumps } from "./clock-jumps.ts";

test("a machine that slept, and a clock that was set, are noticed within a second, once each", async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const jumps: number[] = [];
  const watching = watchClockJumps(clock, (ms) => void jumps.push(ms), abort.signal);
  await clock.advance(3_600_000);
  assert.deepEqual(jumps, [], "an hour that passes is no jump");
  clock.jump(8 * 86_400_000);
  await clock.advance(1000);
  clock.jump(-60_000);
  await clock.advance(10_000);
  assert.deepEqual(jumps, [8 * 86_400_000, -60_000]);
  abort.abort();
  await watching;
  assert.equal(clock.sleepers, 0);
});
