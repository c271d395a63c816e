import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs, Latest, runTasks, systemClock, takeUnits } from "./index.ts";
import { ManualClock, shiftedClock } from "./testing/index.ts";

test("backoff grows to its cap and stays between half and all of the nominal delay", () => {
  for (let failures = 1; failures < 40; failures++) {
    const low = backoffMs(failures, 0);
    const high = backoffMs(failures, 0.999_999);
    assert.ok(low >= 500 && high <= 30_000, `${failures}: ${low}..${high}`);
    assert.ok(Math.abs(high - 2 * low) < 1);
  }
  assert.equal(backoffMs(1, 0, { firstMs: 100 }), 50);
  assert.equal(backoffMs(100, 0, { maxMs: 8000 }), 4000);
});

test("a manual clock wakes sleepers in order and forgets aborted ones", async () => {
  const clock = new ManualClock(1000);
  const order: string[] = [];
  const abort = new AbortController();
  const late = clock.sleep(20).then(() => order.push("late"));
  const early = clock.sleep(10).then(() => order.push("early"));
  const aborted = clock.sleep(5, { signal: abort.signal });
  abort.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  await clock.advance(30);
  await Promise.all([late, early]);
  assert.deepEqual(order, ["early", "late"]);
  assert.equal(clock.now(), 1030);
  assert.equal(clock.sleepers, 0);
  clock.jump(-500);
  assert.equal(clock.now(), 530);
  assert.equal(clock.monotonicMs(), 30);
  assert.equal(shiftedClock(clock, 86_400_000).now(), 86_400_530);
});

test("the system clock's sleep rejects with the signal's reason, also when aborted before", async () => {
  const abort = new AbortController();
  const sleeping = systemClock.sleep(1_000_000, { signal: abort.signal });
  abort.abort(new Error("stop"));
  await assert.rejects(sleeping, /stop/);
  await assert.rejects(systemClock.sleep(0, { signal: abort.signal }), /stop/);
});

test("the first failing task aborts the others, and its cause is thrown", async () => {
  const ended: string[] = [];
  const untilAborted = async (signal: AbortSignal): Promise<void> => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    ended.push("other");
    throw new Error("echo");
  };
  await assert.rejects(
    runTasks(new AbortController().signal, [
      untilAborted,
      () => Promise.reject(new Error("first")),
    ]),
    /first/,
  );
  assert.deepEqual(ended, ["other"]);
});

test("tasks that end by the outer signal end without an error", async () => {
  const outer = new AbortController();
  const running = runTasks(outer.signal, [
    (signal) => new ManualClock().sleep(1, { signal }),
    (signal) => new ManualClock().sleep(1, { signal }),
  ]);
  outer.abort();
  await running;
});

test("a reader of latest sees the current value, then only the newest, then the end", async () => {
  const latest = new Latest("a");
  const seen: string[] = [];
  const reading = (async () => {
    for await (const value of latest.updates()) {
      seen.push(value);
      if (value === "a") {
        latest.set("b");
        latest.set("c");
      }
      if (value === "c") latest.close();
    }
  })();
  await reading;
  latest.set("ignored");
  assert.deepEqual(seen, ["a", "c"]);
  assert.equal(latest.value, "c");
  assert.ok(latest.closed);
});

test("an aborted reader ends while nothing changes", async () => {
  const latest = new Latest(1);
  const abort = new AbortController();
  const seen: number[] = [];
  for await (const value of latest.updates({ signal: abort.signal })) {
    seen.push(value);
    setImmediate(() => {
      abort.abort();
    });
  }
  assert.deepEqual(seen, [1]);
});

test("a bucket gives its burst, refills steadily, and says how long to wait", () => {
  const limit = { perSecond: 2, burst: 3 };
  const first = takeUnits(undefined, limit, 3, 0);
  assert.deepEqual(first, { kind: "taken", bucket: { units: 0, atMs: 0 } });
  const empty = { units: 0, atMs: 0 };
  assert.deepEqual(takeUnits(empty, limit, 1, 0), { kind: "wait", retryAfterMs: 500 });
  assert.equal(takeUnits(empty, limit, 1, 500).kind, "taken");
  assert.deepEqual(takeUnits(empty, limit, 4, 1e9), { kind: "never" });
  assert.deepEqual(takeUnits(empty, limit, 3, 1e9), {
    kind: "taken",
    bucket: { units: 0, atMs: 1e9 },
  });
  assert.equal(takeUnits({ units: 0, atMs: 500 }, limit, 1, 0).kind, "wait");
});
