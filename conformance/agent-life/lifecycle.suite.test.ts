import assert from "node:assert/strict";
import { access, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openTestAgent } from "@bonafide/agent/testing";
import { Diagnosis } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import { TD } from "@bonafide/server/testing";
import { bundlePem, next, openNode, servedStream, watchSvids } from "../workload-api/testing.ts";

/** The serial-independent identity of a message: its leaf's bytes. */
function leafOf(message: { svids: { x509Svid: Uint8Array }[] }): string {
  return Buffer.from(message.svids[0]?.x509Svid ?? []).toString("base64");
}

test("an SVID is replaced at half of its life on the open stream, three times", async () => {
  await using node = await openNode();
  await node.entry("/short", { x509SvidTtl: 3 });
  const stream = watchSvids(node.agt);
  const seen = new Set<string>();
  while (seen.size < 4) seen.add(leafOf(await next(stream)));
  await stream.return();
});

test("the agent renews its own SVID at half life, and goes on", async () => {
  await using node = await openNode({ options: { agentSvidTtlMs: 3000 } });
  await node.agt.logged("agent.renewed");
  await node.entry("/after");
  // A slow machine may let one end before the next is there: then it recovers, and goes on as well.
  await (await servedStream(node.agt)).return();
});

test("an agent that cannot write its SVID down renews it all the same, and keeps it once it can", async () => {
  await using node = await openNode();
  const path = join(node.agt.folder, "data", "identity.json");
  await rm(path);
  await mkdir(join(path, "in-the-way"), { recursive: true });
  // Renewed for its authority's sake, not its age: so none is written before the folder is there, and none ends on a
  // slow machine.
  const authorities = node.srv.local(LocalAuthority);
  const { active } = await authorities.getX509AuthorityState({});
  const { preparedAuthority } = await authorities.prepareX509Authority({});
  await authorities.activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? "" });
  await authorities.taintX509Authority({ authorityId: active?.authorityId ?? "" });
  await node.agt.logged("identity.not_kept");
  await node.agt.logged("agent.renewed");
  await rm(path, { recursive: true });
  await node.agt.logged("identity.kept");
  await node.agt.restart();
  await node.agt.agent.ready({ signal: AbortSignal.timeout(60_000) });
});

test("a second agent on the same folder is refused, and the folder is free once the first has ended", async () => {
  await using node = await openNode();
  const second = {
    server: { host: "127.0.0.1", port: node.srv.server.port },
    dataDir: join(node.agt.folder, "data"),
  };
  await assert.rejects(openTestAgent(second), { code: "AGENT_STATE_LOCKED" });
  await node.agt.restart();
});

test("what a killed agent had begun to write is gone after the next start", async () => {
  await using node = await openNode();
  const begun = join(node.agt.folder, "data", "identity.json.0123456789ab.new");
  await writeFile(begun, "half a key", { mode: 0o600 });
  await node.agt.restart();
  await assert.rejects(access(begun), { code: "ENOENT" });
});

test("a banned agent deletes its SVID and ends with that cause", async () => {
  await using node = await openNode();
  await node.srv.local(Agent).banAgent({ id: { trustDomain: TD, path: node.agentPath } });
  const end = await node.agt.agent.ended;
  assert.equal(end.kind, "stopped");
  assert.equal(end.kind === "stopped" && end.cause?.code, "agent.banned");
  await assert.rejects(
    openTestAgent({
      server: { host: "127.0.0.1", port: node.srv.server.port },
      dataDir: join(node.agt.folder, "elsewhere"),
    }),
    { code: "BOOTSTRAP_MISSING" },
  );
});

test("an evicted agent ends with the command that brings it back, and a new token does", async () => {
  await using node = await openNode();
  await node.srv.local(Agent).deleteAgent({ id: { trustDomain: TD, path: node.agentPath } });
  const end = await node.agt.agent.ended;
  assert.equal(end.kind === "stopped" && end.cause?.code, "agent.evicted");
  assert.equal(end.kind === "stopped" && end.cause?.command, "bonafide token create");
  await node.agt.restart({ joinToken: await node.srv.token() });
  await node.agt.agent.ready({ signal: AbortSignal.timeout(60_000) });
});

test("a restarted agent serves what it knew, with no token, and without its server", async () => {
  await using node = await openNode();
  await node.entry("/kept");
  await node.agt.restart();
  const stream = watchSvids(node.agt);
  assert.equal((await next(stream)).svids[0]?.spiffeId, "spiffe://example.org/kept");
  await stream.return();
  await node.srv.server.close();
  await node.agt.restart();
  const { entries, agentId } = await node.agt.admin(Diagnosis).getStatus({});
  assert.equal(entries, 1);
  assert.equal(agentId, `spiffe://${TD}${node.agentPath}`);
});

test("a server that restarts is found again, and streams stay open meanwhile", async () => {
  await using node = await openNode();
  await node.entry("/one");
  const stream = watchSvids(node.agt);
  await next(stream);
  const { port } = node.srv.server;
  await node.srv.restart({ port });
  await node.entry("/two");
  assert.equal((await next(stream)).svids.length, 2);
  await stream.return();
});

test("a spent token does not bring in a second agent, and the reason names the command", async () => {
  await using node = await openNode();
  const token = await node.srv.token();
  await node.srv.join(token);
  await using late = await openTestAgent({
    server: { host: "127.0.0.1", port: node.srv.server.port },
    bootstrap: { kind: "text", text: bundlePem(node.srv) },
    joinToken: token,
  });
  const end = await late.agent.ended;
  assert.equal(end.kind === "stopped" && end.cause?.code, "agent.token_refused");
});

test("an agent with another domain's bundle stops at its first start and names both authorities", async () => {
  await using node = await openNode();
  await using other = await openNode();
  await using agt = await openTestAgent({
    server: { host: "127.0.0.1", port: node.srv.server.port },
    bootstrap: { kind: "text", text: bundlePem(other.srv) },
    joinToken: await node.srv.token(),
  });
  const end = await agt.agent.ended;
  assert.equal(end.kind === "stopped" && end.cause?.code, "agent.bundle_mismatch");
  assert.match((end.kind === "stopped" && end.cause?.says) || "", /[0-9a-f]{40}.*[0-9a-f]{40}/);
});

test("insecure bootstrap says so with the fingerprint, and joins", async () => {
  await using node = await openNode();
  await using agt = await openTestAgent({
    server: { host: "127.0.0.1", port: node.srv.server.port },
    bootstrap: { kind: "insecure" },
    joinToken: await node.srv.token(),
  });
  await agt.agent.ready({ signal: AbortSignal.timeout(60_000) });
  const line = await agt.logged("bootstrap.insecure");
  assert.equal(line.level, "warn");
  assert.match(JSON.stringify(line.fields), /[0-9a-f]{64}/);
});

test("a closed agent leaves neither sockets nor descriptors behind", async () => {
  await using node = await openNode();
  await node.entry("/one");
  const stream = watchSvids(node.agt);
  await next(stream);
  await node.agt.agent.close();
  await assert.rejects(next(stream));
  assert.deepEqual(await node.agt.agent.ended, { kind: "closed" });
  await rm(join(node.agt.folder, "w"), { recursive: true });
});
