import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "@bonafide/lifetime";
import { next, openNode, watchSvids } from "../workload-api/testing.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A clock whose wall time a test may move while nothing runs. */
class MovableClock implements Clock {
  shiftMs = 0;
  now(): number {
    return systemClock.now() + this.shiftMs;
  }
  monotonicMs(): number {
    return systemClock.monotonicMs();
  }
  sleep(...args: Parameters<Clock["sleep"]>): Promise<void> {
    return systemClock.sleep(...args);
  }
}

/** Both sides are off for so long; then the server starts, then the agent. */
async function comesBackAfter(offMs: number): Promise<string[]> {
  const clock = new MovableClock();
  await using node = await openNode({ clock });
  await node.entry("/kept");
  await node.agt.logged("agent.recovery_key_pinned");
  await node.agt.agent.close();
  const { port } = node.srv.server;
  const restarting = node.srv.server.close();
  await restarting;
  clock.shiftMs = offMs;
  await node.srv.restart({ port });
  await node.agt.restart();
  await node.agt.agent.ready({ signal: AbortSignal.timeout(60_000) });
  const stream = watchSvids(node.agt);
  assert.equal((await next(stream)).svids[0]?.spiffeId, "spiffe://example.org/kept");
  await stream.return();
  return node.agt.log.map(({ event }) => event);
}

test("a node whose SVID expired an hour ago comes back with it, without a token", async () => {
  const events = await comesBackAfter(2 * HOUR_MS);
  assert.ok(events.includes("agent.recovered"), events.join(" "));
  assert.ok(!events.includes("agent.bundle_recovered"));
});

test("a node that was off for 8 days, longer than its authorities lived, comes back by the recovery key", async () => {
  const events = await comesBackAfter(8 * DAY_MS);
  assert.ok(events.includes("agent.bundle_recovered"), events.join(" "));
  assert.ok(events.includes("agent.recovered"));
});

test("a node that was off for longer than the recovery window stops and names the command", async () => {
  const clock = new MovableClock();
  await using node = await openNode({ clock });
  await node.agt.logged("agent.recovery_key_pinned");
  await node.agt.agent.close();
  const { port } = node.srv.server;
  await node.srv.server.close();
  clock.shiftMs = 40 * DAY_MS;
  await node.srv.restart({ port });
  await node.agt.restart();
  const end = await node.agt.agent.ended;
  assert.equal(end.kind === "stopped" && end.cause?.code, "agent.svid_expired");
  assert.equal(end.kind === "stopped" && end.cause?.command, "bonafide token create");
});
