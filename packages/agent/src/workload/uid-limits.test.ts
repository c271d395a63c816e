import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@bonafide/lifetime/testing";
import { UidLimits } from "./uid-limits.ts";

const EXCEEDED = { code: "CALLER_LIMIT_EXCEEDED" };

test("one user's streams are limited; another's and root's are not", () => {
  const limits = new UidLimits(new ManualClock(0), { streamsPerUidMax: 2 });
  const close = limits.openStream(1000);
  limits.openStream(1000);
  assert.throws(() => limits.openStream(1000), EXCEEDED);
  limits.openStream(1001);
  for (let i = 0; i < 5; i++) limits.openStream(0);
  assert.equal(limits.streams, 8);
  close();
  assert.equal(limits.streams, 7);
  limits.openStream(1000);
});

test("all streams together are limited, root's too", () => {
  const limits = new UidLimits(new ManualClock(0), { streamsMax: 2 });
  limits.openStream(1000);
  limits.openStream(0);
  assert.throws(() => limits.openStream(0), EXCEEDED);
  assert.throws(() => limits.openStream(1001), EXCEEDED);
});

test("a stream that is closed twice is counted once", () => {
  const limits = new UidLimits(new ManualClock(0), { streamsPerUidMax: 2 });
  const close = limits.openStream(1000);
  limits.openStream(1000);
  close();
  close();
  assert.equal(limits.streams, 1);
  limits.openStream(1000);
  assert.throws(() => limits.openStream(1000), EXCEEDED);
});

test("a user's attestations are limited to a burst that refills, root's are not", async () => {
  const clock = new ManualClock(0);
  const limits = new UidLimits(clock, { attestationsASecond: 2, attestationsBurst: 3 });
  for (let i = 0; i < 3; i++) limits.takeAttestation(1000);
  assert.throws(() => {
    limits.takeAttestation(1000);
  }, EXCEEDED);
  limits.takeAttestation(1001);
  for (let i = 0; i < 10; i++) limits.takeAttestation(0);
  await clock.advance(500);
  limits.takeAttestation(1000);
  assert.throws(() => {
    limits.takeAttestation(1000);
  }, EXCEEDED);
});

test("a user who is refused all the time is not forgotten for others who come", () => {
  const limits = new UidLimits(new ManualClock(0), { attestationsBurst: 1 });
  limits.takeAttestation(1000);
  for (let uid = 2000; uid < 10_000; uid++) {
    limits.takeAttestation(uid);
    assert.throws(() => {
      limits.takeAttestation(1000);
    }, EXCEEDED);
  }
});
