import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@bonafide/lifetime/testing";
import { eachWithin, within } from "./within.ts";

test("what comes in time is given, and nothing is left waiting", async () => {
  const clock = new ManualClock();
  assert.equal(await within(clock, 10, Promise.resolve("a")), "a");
  await assert.rejects(within(clock, 10, Promise.reject(new Error("b"))), /b/);
  assert.equal(clock.sleepers, 0);
});

test("a stream that says nothing is ended, and its iterator is let go", async () => {
  const clock = new ManualClock();
  let isReleased = false;
  const silent = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<IteratorResult<string>>(() => {}),
      return: () => {
        isReleased = true;
        return Promise.resolve({ done: true as const, value: undefined });
      },
    }),
  };
  const reading = eachWithin(clock, 1000, silent).next();
  const failed = assert.rejects(reading, { code: "REQUEST_TIMED_OUT" });
  await clock.advance(1000);
  await failed;
  assert.ok(isReleased);
  assert.equal(clock.sleepers, 0);
});
