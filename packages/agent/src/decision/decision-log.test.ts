import assert from "node:assert/strict";
import { test } from "node:test";
import { type Decision, DecisionLog } from "./decision-log.ts";

function decision(id: string, uid: number): Decision {
  return {
    id,
    at: 0,
    method: "m",
    outcome: "refused",
    caller: { kind: "header_missing", values: [] },
    observation: undefined,
    peer: { pid: 1, uid, gid: uid, pin: "pidfd" },
    spiffeIds: [],
  };
}

test("a user who is refused often forgets its own decisions, oldest first, and nobody else's", () => {
  const log = new DecisionLog(4);
  log.record(decision("other", 1001));
  for (let i = 0; i < 10; i++) log.record(decision(`flood${i}`, 1002));
  const { peer: _, ...unknown } = decision("unknown", 0);
  log.record(unknown);
  assert.deepEqual(
    log.list(() => true, 10).map(({ id }) => id),
    ["unknown", "flood9", "flood8", "other"],
  );
  assert.equal(log.find("flood7"), undefined);
  assert.equal(log.find("other")?.peer?.uid, 1001);
});
