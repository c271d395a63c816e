import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { test } from "node:test";
import {
  Diagnosis,
  Grade,
  Outcome,
  Self,
  SyncMode,
} from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { RpcError } from "@bonafide/rpc";
import { next, openNode, watchSvids } from "../workload-api/testing.ts";

async function decisionOf(stream: AsyncGenerator<unknown, void, void>): Promise<string> {
  try {
    await stream.next();
  } catch (error) {
    if (error instanceof RpcError) return error.details["decision"] ?? "";
    throw error;
  }
  throw new Error("the call was not refused");
}

test("a refusal's decision id leads the operator to the entry that was nearly right", async () => {
  await using node = await openNode();
  await node.entry("/greeter", {
    selectors: [
      { type: "unix", value: `uid:${process.getuid?.() ?? 0}` },
      { type: "launcher", value: "name:greeter" },
    ],
  });
  const decisionId = await decisionOf(watchSvids(node.agt));
  const answer = await node.agt
    .admin(Diagnosis)
    .why({ about: { case: "decisionId", value: decisionId } });
  assert.equal(answer.firstCause?.code, "entry.launcher_missing");
  assert.equal(answer.mendingCommand, "bonafide exec --as greeter -- CMD");
  assert.equal(answer.process?.pid, process.pid);
  assert.equal(answer.decision?.outcome, Outcome.REFUSED);
  assert.equal(answer.nearest[0]?.entry?.spiffeId?.path, "/greeter");
});

test("why by process explains what a process that never called would get", async () => {
  await using node = await openNode();
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  try {
    await once(child, "spawn");
    const diagnosis = node.agt.admin(Diagnosis);
    const about = { case: "pid", value: child.pid ?? 0 } as const;
    assert.equal((await diagnosis.why({ about })).firstCause?.code, "entry.none");
    await node.entry("/one");
    const served = await diagnosis.why({ about });
    assert.equal(served.firstCause, undefined);
    assert.deepEqual(
      served.identities.map(({ spiffeId }) => spiffeId),
      ["spiffe://example.org/one"],
    );
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

test("an unknown decision, an unknown process and an empty question have codes of their own", async () => {
  await using node = await openNode();
  const diagnosis = node.agt.admin(Diagnosis);
  const wrong = diagnosis.why({ about: { case: "decisionId", value: "d-none" } });
  await assert.rejects(wrong, { reason: "DECISION_NOT_FOUND" });
  const nobody = diagnosis.why({ about: { case: "pid", value: 2 ** 22 + 1 } });
  await assert.rejects(nobody, { reason: "PROCESS_NOT_FOUND" });
  await assert.rejects(diagnosis.why({}), { reason: "REQUEST_INVALID" });
});

test("whoami tells a caller its own facts, their grades and their worth, and nothing of others", async () => {
  await using node = await openNode();
  await node.entry("/me");
  await node.entry("/other", { selectors: [{ type: "unix", value: "uid:424242" }] });
  const me = await node.agt.workload(Self).whoami({});
  const uid = process.getuid?.() ?? 0;
  const own = me.observed.find(({ selector }) => selector?.value === `uid:${uid}`);
  assert.equal(own?.grade, Grade.USER);
  assert.deepEqual(
    me.identities.map(({ spiffeId }) => spiffeId),
    ["spiffe://example.org/me"],
  );
  assert.match(me.worth, /^kept apart: by /);
  assert.doesNotMatch(
    JSON.stringify(me, (_key, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    ),
    /424242|\/other/,
  );
});

test("status shows where the agent stands, and decisions are listed newest first", async () => {
  await using node = await openNode();
  await decisionOf(watchSvids(node.agt));
  await node.entry("/one");
  const stream = watchSvids(node.agt);
  await next(stream);
  const diagnosis = node.agt.admin(Diagnosis);
  const status = await diagnosis.getStatus({});
  assert.equal(status.agentId, node.agt.agent.id);
  assert.equal(status.syncMode, SyncMode.PUSH);
  assert.equal(status.entries, 1);
  assert.equal(status.streams, 1);
  assert.deepEqual(status.problems, []);
  assert.ok(status.clockOffsetMs !== undefined);
  await stream.return();
  const { decisions } = await diagnosis.listDecisions({});
  assert.deepEqual(
    decisions.map(({ decision }) => decision?.outcome),
    [Outcome.SERVED, Outcome.REFUSED],
  );
  const refused = await diagnosis.listDecisions({ refusedOnly: true, pid: process.pid });
  assert.equal(refused.decisions.length, 1);
});
