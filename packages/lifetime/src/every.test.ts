import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, every, slept, unlessAborted, whenAborted } from "./index.ts";
import { ManualClock } from "./testing/index.ts";

test("a sleep says whether its time passed or its signal aborted", async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const whole = slept(clock, 10, abort.signal);
  await clock.advance(10);
  assert.equal(await whole, true);
  const cut = slept(clock, 10, abort.signal);
  abort.abort();
  assert.equal(await cut, false);
  assert.equal(await slept(clock, 10, abort.signal), false);
  assert.equal(clock.sleepers, 0);
});

test("a clock that fails is not taken for an abort", async () => {
  const broken: Clock = {
    now: () => 0,
    monotonicMs: () => 0,
    sleep: () => Promise.reject(new Error("broken")),
  };
  await assert.rejects(slept(broken, 10, new AbortController().signal), /broken/);
});

test("turns come after a rest each, a failed one is told and does not end them", async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const turns: number[] = [];
  const failures: unknown[] = [];
  const turn = (): void => {
    turns.push(clock.monotonicMs());
    if (turns.length === 2) throw new Error("second");
  };
  const options = { clock, ms: 10, failed: (error: unknown) => void failures.push(error) };
  const ended = every(options, turn, abort.signal);
  assert.deepEqual(turns, []);
  for (let i = 0; i < 3; i++) await clock.advance(10);
  assert.deepEqual(turns, [10, 20, 30]);
  assert.equal(failures.length, 1);
  abort.abort();
  await ended;
  assert.equal(clock.sleepers, 0);
});

test("a promise gives what it gives, unless the signal aborts first", async () => {
  const abort = new AbortController();
  assert.equal(await unlessAborted(Promise.resolve(7), abort.signal), 7);
  await assert.rejects(unlessAborted(Promise.reject(new Error("own")), abort.signal), /own/);
  const pending = unlessAborted(new Promise<never>(() => {}), abort.signal);
  abort.abort(new Error("enough"));
  await assert.rejects(pending, /enough/);
  await assert.rejects(unlessAborted(Promise.resolve(7), abort.signal), /enough/);
  await whenAborted(abort.signal);
});
