import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { test } from "node:test";
import { elsewhereEntries } from "@bonafide/agent";
import {
  Diagnosis,
  Grade,
  Outcome,
  Self,
  SyncMode,
} from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
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
  assert.match(answer.mendingCommand, /^bonafide exec --as greeter (?:--uid \d+ )?-- CMD$/);
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

test("with the server's entries at hand, why names the node that an entry belongs to, a missing parent and an earlier ID", async () => {
  await using node = await openNode();
  const uid = `uid:${process.getuid?.() ?? 0}`;
  const diagnosis = node.agt.admin(Diagnosis);
  const whyNow = async (): Promise<string | undefined> => {
    const { entries } = await node.srv.local(Entry).listEntries({});
    const { agents } = await node.srv.local(Agent).listAgents({});
    const ids = new Set(
      agents.map(({ id }) => `spiffe://${id?.trustDomain ?? ""}${id?.path ?? ""}`),
    );
    const answer = await diagnosis.why({
      about: { case: "pid", value: process.pid },
      elsewhere: elsewhereEntries(entries, ids),
    });
    return answer.firstCause?.code;
  };
  assert.equal(await whyNow(), "entry.none");
  const misspelt = `${node.agentPath.slice(0, -1)}x`;
  const lost = await node.entry("/lost", { parentPath: misspelt });
  assert.equal(await whyNow(), "entry.parent_unknown");
  await node.remove(lost);
  const other = await node.srv.join();
  const far = await node.entry("/far", {
    parentPath: other.id.slice("spiffe://example.org".length),
  });
  assert.equal(await whyNow(), "entry.other_node");
  await node.remove(far);
  const alias = await node.entry("/cluster", {
    parentPath: "/spire/server",
    selectors: [{ type: "x509pop", value: "subject:cn:other" }],
  });
  const covered = await node.entry("/covered", {
    parentPath: "/cluster",
    selectors: [{ type: "unix", value: uid }],
  });
  assert.equal(await whyNow(), "entry.alias_not_matched");
  await node.remove(alias);
  await node.remove(covered);
});

test("an entry of this node's earlier ID is recognised after the node joined anew", async () => {
  await using node = await openNode();
  const before = { trustDomain: "example.org", path: node.agentPath };
  await node.entry("/kept");
  const { entries } = await node.srv.local(Entry).listEntries({});
  await node.srv.local(Agent).deleteAgent({ id: before });
  await node.agt.agent.ended;
  await node.agt.restart({ joinToken: await node.srv.token() });
  await node.agt.agent.ready({ signal: AbortSignal.timeout(60_000) });
  const answer = await node.agt.admin(Diagnosis).why({
    about: { case: "pid", value: process.pid },
    elsewhere: elsewhereEntries(entries, new Set([node.agt.agent.id ?? ""])),
  });
  assert.equal(answer.firstCause?.code, "entry.parent_superseded");
});
