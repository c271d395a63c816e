import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@bonafide/lifetime/testing";
import { noUidOwners, parseUidOwners } from "../core/subordinate-uids.ts";
import { type AskedKey, KeyShares } from "./key-shares.ts";

const EXCEEDED = { code: "CALLER_LIMIT_EXCEEDED" };

function keys(from: number, count: number, isMissing = true): AskedKey[] {
  return Array.from({ length: count }, (_, i) => ({ entryId: `e${from + i}`, isMissing }));
}

test("one user's keys are limited, each counted once for all its streams; another's and root's are not", () => {
  const shares = new KeyShares(new ManualClock(0), { keysPerUidMax: 3 }, noUidOwners);
  const release = shares.hold(1000, keys(0, 3));
  const again = shares.hold(1000, keys(0, 3));
  assert.equal(shares.held, 3);
  assert.throws(() => shares.hold(1000, keys(3, 1)), EXCEEDED);
  shares.hold(1001, keys(0, 3));
  shares.hold(0, keys(0, 10));
  release();
  release();
  assert.throws(() => shares.hold(1000, keys(3, 1)), EXCEEDED, "another stream holds them");
  again();
  shares.hold(1000, keys(3, 1));
  assert.equal(shares.held, 14);
});

test("a stream gets all it asks for or counts nothing", () => {
  const shares = new KeyShares(new ManualClock(0), { keysPerUidMax: 3 }, noUidOwners);
  assert.throws(() => shares.hold(1000, keys(0, 4)), EXCEEDED);
  assert.equal(shares.held, 0);
  shares.hold(1000, keys(0, 3));
});

test("a stream that is opened and closed again and again has keys made at a bounded rate", async () => {
  const clock = new ManualClock(0);
  const shares = new KeyShares(clock, { keysASecond: 2, keysBurst: 4 }, noUidOwners);
  for (let i = 0; i < 2; i++) shares.hold(1000, keys(0, 2))();
  assert.throws(() => shares.hold(1000, keys(0, 2)), EXCEEDED);
  shares.hold(1000, keys(0, 2, false))();
  shares.hold(1001, keys(0, 2))();
  await clock.advance(1000);
  shares.hold(1000, keys(0, 2))();
  assert.throws(() => shares.hold(1000, keys(0, 2)), EXCEEDED);
});

test("a clock that goes back makes no keys free", () => {
  const clock = new ManualClock(0);
  const shares = new KeyShares(clock, { keysASecond: 1, keysBurst: 1 }, noUidOwners);
  shares.hold(1000, keys(0, 1))();
  clock.jump(-86_400_000);
  assert.throws(() => shares.hold(1000, keys(0, 1)), EXCEEDED);
});

test("subordinate uids share what their owner has", () => {
  const owners = parseUidOwners("alice:100000:10\n", "alice:x:1000:1000::/:\n");
  const shares = new KeyShares(new ManualClock(0), { keysPerUidMax: 3 }, owners);
  shares.hold(100_001, keys(0, 2));
  assert.throws(() => shares.hold(100_002, keys(2, 2)), EXCEEDED);
  shares.hold(1000, keys(2, 1));
  assert.throws(() => shares.hold(100_003, keys(4, 1)), EXCEEDED);
  shares.hold(200_000, keys(4, 3));
});

test("users who take all they can leave something for the next one", () => {
  const shares = new KeyShares(
    new ManualClock(0),
    { keysPerUidMax: 100, keysHeldMax: 100 },
    noUidOwners,
  );
  for (let uid = 1; uid <= 5; uid++) {
    let held = 0;
    assert.throws(() => {
      for (; ; held++) shares.hold(uid, keys(held, 1));
    }, EXCEEDED);
    assert.ok(held > 0, `uid ${uid}`);
  }
});
