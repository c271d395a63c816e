import assert from "node:assert/strict";
import { test } from "node:test";
import { longestPauseMs } from "./pauses.ts";
import { firstSyncState, nextSync, type SyncOutcome, type SyncState } from "./sync-plan.ts";

const AT = { monotonicMs: 0, fraction: 0.999, pollIntervalMs: 5000, pauseMsMax: 30_000 };

/** The pauses after so many failures in a row. */
function pausesOf(failures: number, pauseMsMax: number): number[] {
  const pauses: number[] = [];
  let state: SyncState = firstSyncState;
  const outcome: SyncOutcome = { kind: "failed" };
  for (let i = 0; i < failures; i++) {
    const next = nextSync(state, outcome, { ...AT, pauseMsMax });
    ({ state } = next);
    pauses.push(next.waitMs);
  }
  return pauses;
}

test("the longest pause is a twentieth of the shortest SVID's life, between 0.5 s and 30 s; 5 s without any", () => {
  assert.equal(longestPauseMs(undefined), 5000);
  assert.equal(longestPauseMs(5000), 500);
  assert.equal(longestPauseMs(60_000), 3000);
  assert.equal(longestPauseMs(3_600_000), 30_000);
});

test("an agent of SVIDs of a minute asks often enough that none ends after its server is back", () => {
  const pauses = pausesOf(40, longestPauseMs(60_000));
  assert.ok(Math.max(...pauses) <= 3000);
  // Renewed at half life, so 30 s are left when the server goes: an outage of 20 s and the pause after it fit in.
  assert.ok(20_000 + Math.max(...pauses) < 0.45 * 60_000);
  assert.ok(Math.max(...pausesOf(40, longestPauseMs(3_600_000))) > 29_000);
});

test("a server's hint is the least, whatever the SVIDs allow", () => {
  const { waitMs } = nextSync(firstSyncState, { kind: "failed", retryAfterMs: 60_000 }, AT);
  assert.ok(waitMs >= 60_000);
});

test("a rotation is no failure and no reason to wait", () => {
  const failing: SyncState = { mode: "push", failures: 3, probePushAtMs: 0 };
  assert.deepEqual(nextSync(failing, { kind: "rotated" }, AT), {
    state: { mode: "push", failures: 0, probePushAtMs: 0 },
    waitMs: 0,
  });
});

test("a server that does not push is polled, and asked for push again after ten minutes", () => {
  const { state, waitMs } = nextSync(firstSyncState, { kind: "unimplemented" }, AT);
  assert.deepEqual([state.mode, waitMs], ["poll", 0]);
  const polled = nextSync(state, { kind: "done" }, AT);
  assert.equal(polled.state.mode, "poll");
  assert.equal(
    nextSync(state, { kind: "done" }, { ...AT, monotonicMs: 600_000 }).state.mode,
    "push",
  );
});
