import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@bonafide/lifetime/testing";
import { RateLimiter } from "./rate-limiter.ts";

const forever = new AbortController().signal;

test("a caller beyond its rate is refused and told when to come again, and others are not", () => {
  const rate = new RateLimiter(new ManualClock(), { perSecond: 10, burst: 2 });
  rate.take("a");
  rate.take("a");
  assert.throws(() => rate.take("a"), { code: "OVERLOADED", retryAfterMs: 100 });
  assert.throws(() => rate.take("b", 3), { code: "OVERLOADED", retryAfterMs: undefined });
  rate.take("b", 2);
});

test("a call under way is paced: it waits for its units and is not refused", async () => {
  const clock = new ManualClock();
  const rate = new RateLimiter(clock, { perSecond: 10, burst: 1 });
  assert.ok(await rate.pace("a", 1, forever));
  let isThrough = false;
  const waiting = rate.pace("a", 0.5, forever).then((answer) => {
    isThrough = answer;
    return answer;
  });
  await clock.advance(49);
  assert.ok(!isThrough);
  await clock.advance(1);
  assert.ok(await waiting);
  assert.equal(clock.sleepers, 0);
});

test("a call that ends while it waits leaves nothing behind", async () => {
  const clock = new ManualClock();
  const rate = new RateLimiter(clock, { perSecond: 1, burst: 1 });
  const gone = new AbortController();
  rate.take("a");
  const waiting = rate.pace("a", 1, gone.signal);
  gone.abort();
  assert.equal(await waiting, false);
  assert.equal(clock.sleepers, 0);
  await assert.rejects(rate.pace("a", 2, forever), { code: "OVERLOADED" });
});
