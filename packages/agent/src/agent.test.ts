import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { once } from "node:events";
import { chmod, stat } from "node:fs/promises";
import { connect, constants } from "node:http2";
import { createConnection } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isBonafideError } from "@bonafide/errors";
import { type LogLevel, type LogLevelSwitch, systemClock } from "@bonafide/lifetime";
import { shiftedClock } from "@bonafide/lifetime/testing";
import { generateKey, jwsSigner, keySigner, parseCertificates } from "@bonafide/pki";
import type { WorkloadAttestor } from "@bonafide/plugin-api";
import { Diagnosis, SyncMode } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { Health } from "@bonafide/proto/grpc/health/v1/health_pb";
import { ServerReflection } from "@bonafide/proto/grpc/reflection/v1/reflection_pb";
import { Debug } from "@bonafide/proto/spire/api/agent/debug/v1/debug_pb";
import { Logger } from "@bonafide/proto/spire/api/agent/logger/v1/logger_pb";
import { LogLevel as WireLogLevel } from "@bonafide/proto/spire/api/types/logger_pb";
import { SpiffeWorkloadAPI, type X509SVIDResponse } from "@bonafide/proto/workload_pb";
import { RpcError } from "@bonafide/rpc";
import { parseSpiffeId, parseTrustDomainName, signJwtSvid } from "@bonafide/spiffe";
import { because } from "./cause-details.ts";
import type { Entry } from "./core/entry.ts";
import {
  openTestAgent,
  ScriptedServer,
  type TestAgent,
  type TestAgentOptions,
  WORKLOAD_HEADERS,
} from "./testing/index.ts";

const UID = process.getuid?.() ?? 0;
const WHY_ROOT_IS_FREE = UID === 0 ? "needs a user who is not root" : false;

function entry(id: string, more: Partial<Entry> = {}): Entry {
  return {
    id,
    spiffeId: parseSpiffeId(`spiffe://example.org/${id}`),
    selectors: [{ type: "unix", value: `uid:${UID}` }],
    federatesWith: [],
    hint: "",
    revision: 0n,
    createdAt: 1n,
    expiresAt: 0n,
    admin: false,
    downstream: false,
    storeSvid: false,
    jwtSvidIncludeJti: false,
    ...more,
  };
}

function openAgentOf(
  server: ScriptedServer,
  options: Partial<TestAgentOptions> = {},
): Promise<TestAgent> {
  return openTestAgent({
    server: server.address,
    bootstrap: { kind: "text", text: server.bundlePem },
    joinToken: "token",
    pollIntervalMs: 50,
    ...options,
  });
}

async function ready(agt: TestAgent): Promise<void> {
  await agt.agent.ready({ signal: AbortSignal.timeout(120_000) });
}

function watch(agt: TestAgent): AsyncGenerator<X509SVIDResponse, void, void> {
  const signal = AbortSignal.timeout(120_000);
  return agt.workload(SpiffeWorkloadAPI).fetchX509SVID({}, { headers: WORKLOAD_HEADERS, signal });
}

async function next(stream: AsyncGenerator<X509SVIDResponse, void, void>): Promise<string[]> {
  const { value, done } = await stream.next();
  assert.ok(done !== true);
  return value.svids.map(({ spiffeId }) => spiffeId.slice("spiffe://example.org/".length));
}

/** Asks until there is an answer, as a workload does. */
async function served(agt: TestAgent): Promise<string[]> {
  for (;;) {
    const stream = watch(agt);
    try {
      return await next(stream);
    } catch (error) {
      if (!isBonafideError(error)) throw error;
      await nextTurn();
    } finally {
      await stream.return();
    }
  }
}

function keyIdOf(message: X509SVIDResponse): string {
  const [leaf] = parseCertificates(message.svids[0]?.x509Svid ?? new Uint8Array());
  return Buffer.from(leaf?.authorityKeyId ?? []).toString("hex");
}

test("an agent polls a server that does not push, and hears of changes", async () => {
  await using server = await ScriptedServer.open();
  server.script.push = false;
  server.put(entry("one"));
  await using agt = await openAgentOf(server);
  await ready(agt);
  assert.equal((await agt.admin(Diagnosis).getStatus({})).syncMode, SyncMode.POLL);
  const stream = watch(agt);
  assert.deepEqual(await next(stream), ["one"]);
  server.put(entry("two", { createdAt: 2n }));
  assert.deepEqual(await next(stream), ["one", "two"]);
  server.remove("one");
  assert.deepEqual(await next(stream), ["two"]);
  await stream.return();
  assert.ok(server.askedMore.length > 0 && server.askedMore.every(Boolean), "with jti or without");
});

test("a token is judged by the server's time, not by that of a node whose clock is off", async () => {
  await using server = await ScriptedServer.open();
  const { privateKey } = generateKey("ec-p256");
  server.jwtAuthorities.push({ keyId: "k", publicKey: createPublicKey(privateKey) });
  server.script.clockMs = 200_000;
  server.put(entry("one"));
  await using agt = await openAgentOf(server);
  await ready(agt);
  assert.deepEqual(await served(agt), ["one"]);
  const validate = (expiresAt: number): Promise<{ spiffeId: string }> => {
    const svid = signJwtSvid(jwsSigner(keySigner(privateKey)), "k", {
      id: parseSpiffeId("spiffe://example.org/one"),
      audience: ["db"],
      issuedAt: Date.now() - 1000,
      expiresAt,
    });
    const client = agt.workload(SpiffeWorkloadAPI);
    return client.validateJWTSVID({ audience: "db", svid }, { headers: WORKLOAD_HEADERS });
  };
  // The leeway is a minute; the server's clock is ahead by more than three.
  await assert.rejects(validate(Date.now() + 60_000), { status: "invalid_argument" });
  assert.equal((await validate(Date.now() + 3_600_000)).spiffeId, "spiffe://example.org/one");
});

test("an agent that holds no JWT keys asks for everything", async () => {
  await using server = await ScriptedServer.open();
  await using agt = await openAgentOf(server);
  await ready(agt);
  const { privateKey } = generateKey("ec-p256");
  server.jwtAuthorities.push({ keyId: "k", publicKey: createPublicKey(privateKey) });
  const before = server.claims.length;
  await agt.restart();
  await ready(agt);
  assert.equal(server.claims[before], 0);
  const after = server.claims.length;
  await agt.restart();
  await ready(agt);
  assert.notEqual(server.claims[after], 0);
});

test("more entries than one message holds are polled in two steps, and only what changed is fetched", async () => {
  await using server = await ScriptedServer.open();
  server.script.push = false;
  const nobody = [{ type: "unix", value: "uid:424242" }];
  server.put(
    ...Array.from({ length: 1203 }, (_, i) => entry(`e${i}`, { selectors: nobody })),
    entry("mine"),
  );
  await using agt = await openAgentOf(server, { prefetchMax: 0 });
  await ready(agt);
  assert.equal((await agt.admin(Diagnosis).getStatus({})).entries, 1204);
  const stream = watch(agt);
  assert.deepEqual(await next(stream), ["mine"]);
  server.put(entry("e7", { revision: 1n, createdAt: 9n }));
  assert.deepEqual(await next(stream), ["mine", "e7"]);
  await stream.return();
});

test("nothing is signed beyond the prefetch limit unless somebody asks", async () => {
  await using server = await ScriptedServer.open();
  const nobody = [{ type: "unix", value: "uid:424242" }];
  server.put(...Array.from({ length: 30 }, (_, i) => entry(`e${i}`, { selectors: nobody })));
  await using agt = await openAgentOf(server, { prefetchMax: 10 });
  await ready(agt);
  const diagnosis = agt.admin(Diagnosis);
  let cachedSvids = 0;
  while (cachedSvids < 10) ({ cachedSvids } = await diagnosis.getStatus({}));
  server.put(entry("asked"));
  assert.deepEqual(await served(agt), ["asked"]);
  assert.ok((await diagnosis.getStatus({})).cachedSvids <= 11);
});

test("SVIDs of a tainted authority are replaced at once, on the open stream", async () => {
  await using server = await ScriptedServer.open();
  server.put(entry("one"));
  await using agt = await openAgentOf(server);
  await ready(agt);
  const stream = watch(agt);
  const before = await stream.next();
  assert.ok(before.done !== true);
  server.rotateAndTaint();
  let now = keyIdOf(before.value);
  while (now === keyIdOf(before.value)) {
    const { value, done } = await stream.next();
    assert.ok(done !== true);
    now = keyIdOf(value);
  }
  await agt.logged("agent.renewed");
  await stream.return();
});

test("an agent that gets another SVID of its own opens the next push stream before it leaves the one before", async () => {
  await using server = await ScriptedServer.open();
  server.put(entry("one"));
  await using agt = await openAgentOf(server);
  await ready(agt);
  server.rotateAndTaint();
  await agt.logged("agent.renewed");
  while (!server.streams.includes("ended")) await nextTurn();
  const second = server.streams.lastIndexOf("opened");
  assert.ok(second > 0, server.streams.join());
  assert.ok(
    server.streams.indexOf("sent", second) < server.streams.indexOf("ended"),
    server.streams.join(),
  );
  server.put(entry("two", { createdAt: 2n }));
  while ((await served(agt)).length < 2) await nextTurn();
});

test("an agent without entries agrees with its server, and keeps its stream", async () => {
  await using server = await ScriptedServer.open();
  await using agt = await openAgentOf(server);
  await ready(agt);
  server.put(entry("one"));
  while ((await served(agt)).length < 1) await nextTurn();
  assert.deepEqual(server.streams, ["opened", "sent", "sent"]);
});

test("while no new push stream can be had after a rotation, the one before goes on", async () => {
  await using server = await ScriptedServer.open();
  server.put(entry("one"));
  await using agt = await openAgentOf(server);
  await ready(agt);
  server.script.failStreams = true;
  server.rotateAndTaint();
  await agt.logged("agent.renewed");
  await agt.logged("sync.failed");
  server.put(entry("two", { createdAt: 2n }));
  while ((await served(agt)).length < 2) await nextTurn();
  assert.deepEqual(
    server.streams.filter((each) => each !== "sent"),
    ["opened"],
  );
});

test("a clock more than five minutes off signs nothing and says by how much", async () => {
  await using server = await ScriptedServer.open();
  server.script.clockMs = -400_000;
  server.put(entry("one"));
  await using agt = await openAgentOf(server);
  await agt.logged("clock.refused");
  const stream = watch(agt);
  await assert.rejects(stream.next(), { status: "unavailable", reason: "AGENT_NOT_READY" });
  const call = { headers: WORKLOAD_HEADERS, signal: AbortSignal.timeout(120_000) };
  await assert.rejects(agt.workload(SpiffeWorkloadAPI).fetchJWTSVID({ audience: ["db"] }, call), {
    status: "unavailable",
    reason: "AGENT_NOT_READY",
  });
  const { problems } = await agt.admin(Diagnosis).getStatus({});
  assert.equal(problems[0]?.code, "clock.skew");
  assert.match(problems[0]?.text ?? "", /\+\d+\.\d s/);
});

test("a node whose clock is too slow to join says so, and does not give up", async () => {
  await using server = await ScriptedServer.open();
  server.script.clockMs = 400_000;
  await using agt = await openAgentOf(server);
  await agt.logged("clock.refused");
  const { problems } = await agt.admin(Diagnosis).getStatus({});
  assert.ok(problems.some(({ code, text }) => code === "clock.skew" && text.includes("behind")));
});

test("a clock that differs by less than that takes the server's time for its SVIDs", async () => {
  await using server = await ScriptedServer.open();
  server.script.clockMs = 200_000;
  server.script.svidTtlMs = 60_000;
  server.put(entry("one"));
  await using agt = await openAgentOf(server);
  await agt.logged("clock.differs");
  const stream = watch(agt);
  assert.deepEqual(await next(stream), ["one"]);
  await stream.return();
});

test("a caller whose SVID cannot be signed is told to come again, and is served once it can be", async () => {
  await using server = await ScriptedServer.open();
  server.script.failSigning = true;
  server.put(entry("one"));
  await using agt = await openAgentOf(server);
  await ready(agt);
  await assert.rejects(watch(agt).next(), { status: "unavailable", reason: "AGENT_NOT_READY" });
  server.script.failSigning = false;
  assert.deepEqual(await served(agt), ["one"]);
});

test("a caller that is no longer what it was gets no more messages, and its stream ends", async () => {
  let role = "web";
  const attestor: WorkloadAttestor = {
    name: "test",
    attest: () =>
      Promise.resolve({
        selectors: [{ type: "test", value: `role:${role}`, grade: "user", source: "test" }],
        omitted: [],
      }),
  };
  await using server = await ScriptedServer.open();
  server.put(entry("one", { selectors: [{ type: "test", value: "role:web" }] }));
  await using agt = await openAgentOf(server, { attestors: [attestor] });
  await ready(agt);
  const stream = watch(agt);
  assert.deepEqual(await next(stream), ["one"]);
  role = "db";
  server.put(entry("two", { createdAt: 2n }));
  await assert.rejects(stream.next(), { status: "permission_denied", reason: "CALLER_CHANGED" });
  assert.deepEqual(await served(agt), ["two"]);
  const { decisions } = await agt.admin(Diagnosis).listDecisions({ refusedOnly: true });
  assert.ok(decisions.some((each) => each.firstCauseCode === "caller.facts_changed"));
});

for (const [reason, code] of [
  ["AGENT_BANNED", "agent.banned"],
  ["AGENT_NOT_ATTESTED", "agent.evicted"],
  ["AGENT_MUST_REATTEST", "agent.evicted"],
  ["AGENT_EXPIRED", "agent.svid_expired"],
  ["AGENT_NOT_ACTIVE", "agent.svid_expired"],
] as const) {
  test(`an agent that is refused with ${reason} and cannot help itself stops with ${code}`, async () => {
    await using server = await ScriptedServer.open();
    await using agt = await openAgentOf(server);
    await ready(agt);
    server.script.refuse = reason;
    server.put(entry("wake"));
    const end = await agt.agent.ended;
    assert.equal(end.kind === "stopped" && end.cause?.code, code);
  });
}

for (const { word, refuse, says, command } of [
  {
    word: "banned",
    refuse: "AGENT_BANNED",
    says: (id: string) => `${id} is banned: the server said so`,
    command: (id: string) => `bonafide agent evict ${id}`,
  },
  {
    word: "evicted",
    refuse: "AGENT_NOT_ATTESTED",
    says: (id: string) =>
      `the server does not know ${id} any more: it was evicted, or the authority that signed its SVID was revoked`,
    command: () => "bonafide token create",
  },
] as const) {
  test(`an agent that was ${word} and is started again says so, until it is given a new token`, async () => {
    await using server = await ScriptedServer.open();
    await using agt = await openAgentOf(server);
    await ready(agt);
    const id = agt.agent.id ?? "";
    server.script.refuse = refuse;
    server.put(entry("wake"));
    await agt.agent.ended;
    server.script.refuse = undefined;
    for (let start = 0; start < 2; start++) {
      await agt.restart();
      const end = await agt.agent.ended;
      assert.ok(end.kind === "stopped" && end.cause?.code === `agent.${word}`);
      assert.equal(end.cause.says, says(id));
      assert.equal(end.cause.command, command(id));
    }
    server.script.tokens.add("another");
    await agt.restart({ joinToken: "another" });
    await ready(agt);
  });
}

test("an agent that was set up for another trust domain than its server's is told both", async () => {
  await using server = await ScriptedServer.open();
  const other = parseTrustDomainName("other.org");
  await using agt = await openAgentOf(server, { trustDomain: other });
  const end = await agt.agent.ended;
  assert.ok(end.kind === "stopped" && end.cause?.code === "agent.trust_domain_mismatch");
  assert.match(end.cause.says, /example\.org.+other\.org/);
  await assert.rejects(ready(agt), { details: because("agent.trust_domain_mismatch") });
});

for (const push of [true, false]) {
  const way = push ? "push" : "poll";
  test(`an agent whose clock runs ahead by more than SVIDs live keeps its own and serves (${way})`, async () => {
    await using server = await ScriptedServer.open();
    server.script.push = push;
    server.script.agentSvidTtlMs = 60_000;
    server.script.svidTtlMs = 60_000;
    server.put(entry("one"));
    await using agt = await openAgentOf(server, { clock: shiftedClock(systemClock, 120_000) });
    await ready(agt);
    const { fields } = await agt.logged("clock.differs");
    assert.match(String(fields["hint"]), /set this node's clock/);
    assert.deepEqual(await served(agt), ["one"]);
    await agt.restart();
    await ready(agt);
    assert.deepEqual(await served(agt), ["one"]);
    const events = new Set(agt.log.map(({ event }) => event));
    for (const event of ["agent.recover_failed", "agent.recovered", "agent.unsettled"]) {
      assert.ok(!events.has(event), event);
    }
    assert.equal(server.calls.filter((call) => call.endsWith("/RenewAgent")).length, 0);
  });
}

test("whoever waits for an agent that stops, or is closed, before it is ready is told so", async () => {
  await using server = await ScriptedServer.open();
  await using refused = await openAgentOf(server, { joinToken: "of nobody" });
  await assert.rejects(ready(refused), {
    code: "AGENT_STOPPED",
    details: because("agent.token_refused"),
  });
  server.script.clockMs = 400_000;
  await using closed = await openAgentOf(server);
  const waiting = assert.rejects(ready(closed), { code: "AGENT_STOPPED", details: {} });
  await closed.agent.close();
  await waiting;
});

test("one user's streams are limited, root's are not", { skip: WHY_ROOT_IS_FREE }, async () => {
  await using server = await ScriptedServer.open();
  server.put(entry("one"));
  await using agt = await openAgentOf(server, { uidLimits: { streamsPerUidMax: 1 } });
  await ready(agt);
  const first = watch(agt);
  await next(first);
  await assert.rejects(watch(agt).next(), { reason: "CALLER_LIMIT_EXCEEDED" });
  await first.return();
});

test("300 streams of one user outlive a change of its entries", async () => {
  await using server = await ScriptedServer.open();
  server.put(entry("one"));
  await using agt = await openAgentOf(server);
  await ready(agt);
  const streams: ReturnType<typeof watch>[] = [];
  // A connection for each: what one has in common is looked at once.
  for (let i = 0; i < 300; i++) streams.push(watch(agt));
  await Promise.all(streams.map((stream) => next(stream)));
  server.put(entry("two", { createdAt: 2n }));
  const pushed = await Promise.all(streams.map((stream) => next(stream)));
  assert.deepEqual(new Set(pushed.map((names) => names.join())), new Set(["one,two"]));
  await Promise.all(streams.map((stream) => stream.return()));
});

test("calls of every service of the workload socket count as streams, until they end", async () => {
  await using server = await ScriptedServer.open();
  server.put(entry("one"));
  await using agt = await openAgentOf(server, { uidLimits: { streamsMax: 2 } });
  await ready(agt);
  const health = agt.workload(Health).watch({});
  await health.next();
  const asked = Promise.withResolvers<undefined>();
  const reflection = agt.workload(ServerReflection).serverReflectionInfo(
    (async function* () {
      yield { messageRequest: { case: "listServices", value: "" } } as const;
      await asked.promise;
    })(),
  );
  await reflection.next();
  await assert.rejects(watch(agt).next(), { reason: "CALLER_LIMIT_EXCEEDED" });
  await health.return();
  assert.deepEqual(await served(agt), ["one"]);
  asked.resolve(undefined);
  await reflection.return();
});

test("a call without the security header is refused, and why tells the operator of it", async () => {
  await using server = await ScriptedServer.open();
  await using agt = await openAgentOf(server);
  await ready(agt);
  const call = agt
    .workload(SpiffeWorkloadAPI)
    .fetchX509SVID({}, { headers: { "workload.spiffe.io": "yes" } });
  const refusal: unknown = await call.next().catch((error: unknown) => error);
  assert.ok(refusal instanceof RpcError);
  assert.equal(refusal.status, "invalid_argument");
  assert.equal(refusal.reason, "WORKLOAD_HEADER_MISSING");
  assert.equal(refusal.details["cause"], "protocol.header_missing");
  const id = refusal.details["decision"] ?? "";
  const diagnosis = agt.admin(Diagnosis);
  const answer = await diagnosis.why({ about: { case: "decisionId", value: id } });
  assert.equal(answer.firstCause?.code, "protocol.header_missing");
  assert.match(answer.firstCause.text, /"yes"/);
  assert.equal(answer.process?.pid, process.pid);
  const listed = await diagnosis.listDecisions({ refusedOnly: true, pid: process.pid });
  assert.equal(listed.decisions[0]?.firstCauseCode, "protocol.header_missing");
});

test(
  "why by process names the folder that keeps its user from the socket",
  { skip: UID === 0 ? false : "needs root, to be another user" },
  async () => {
    await using server = await ScriptedServer.open();
    await using agt = await openAgentOf(server);
    await ready(agt);
    const child = spawn("sleep", ["1000"], { uid: 54_321, gid: 54_321, cwd: "/", env: {} });
    const exit = once(child, "exit");
    const about = { case: "pid", value: child.pid ?? 0 } as const;
    const why = async () => (await agt.admin(Diagnosis).why({ about })).firstCause;
    const refused = await why();
    assert.equal(refused?.code, "socket.not_permitted");
    assert.match(refused.text, new RegExp(`^${agt.folder} is owned by uid 0 with mode 0700 `));
    await chmod(agt.folder, 0o755);
    assert.equal((await why())?.code, "entry.none");
    child.kill("SIGKILL");
    await exit;
  },
);

test("a request of more than 64 KiB is refused at the workload socket", async () => {
  await using server = await ScriptedServer.open();
  await using agt = await openAgentOf(server);
  await ready(agt);
  const health = agt.workload(Health);
  await assert.rejects(health.check({ service: "x".repeat(65_536) }), {
    status: "resource_exhausted",
  });
  assert.equal((await health.check({})).status, 1);
});

test("a request that comes in hundreds of pieces is cut off at the workload socket", async () => {
  await using server = await ScriptedServer.open();
  await using agt = await openAgentOf(server);
  await ready(agt);
  const client = connect("http://localhost", {
    createConnection: () => createConnection(agt.agent.workloadSocket),
  });
  const call = client.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  const failed = once(call, "error");
  call.write(Buffer.from([0, 0, 0, 255, 255]));
  let pieces = 0;
  // Each is written once the one before has gone: then no two share a frame.
  const more = (): void => {
    if (!call.destroyed && ++pieces < 1000) call.write(Buffer.from([0]), more);
  };
  more();
  await failed;
  assert.equal(call.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  client.close();
  assert.equal((await agt.workload(Health).check({})).status, 1);
});

test("the admin socket tells what SPIRE's does of the agent, and changes how much it logs", async () => {
  await using server = await ScriptedServer.open();
  server.put(entry("one"));
  let current: LogLevel = "info";
  const logLevels: LogLevelSwitch = {
    launched: "info",
    get current() {
      return current;
    },
    set: (level) => {
      current = level;
    },
  };
  await using agt = await openAgentOf(server, { logLevels });
  await ready(agt);
  assert.deepEqual(await served(agt), ["one"]);
  const info = await agt.admin(Debug).getInfo({});
  const [leaf, root] = info.svidChain;
  assert.equal(`spiffe://${leaf?.id?.trustDomain}${leaf?.id?.path}`, agt.agent.id);
  assert.equal(root?.id?.path, "");
  assert.equal(info.cachedX509SvidsCount, 1);
  assert.equal(info.svidsCount, info.cachedX509SvidsCount);
  assert.ok(info.lastSyncSuccess > 1_700_000_000n);
  const logger = agt.admin(Logger);
  await logger.setLogLevel({ newLevel: WireLogLevel.ERROR });
  const state = await logger.getLogger({});
  assert.deepEqual(
    [state.currentLevel, state.launchLevel],
    [WireLogLevel.ERROR, WireLogLevel.INFO],
  );
  await assert.rejects(logger.setLogLevel({}), { reason: "REQUEST_INVALID" });
  assert.equal((await logger.resetLogLevel({})).currentLevel, WireLogLevel.INFO);
  const lines = agt.log.filter(({ event }) => event === "log.level_set");
  assert.deepEqual(
    lines.map(({ fields }) => [fields["from"], fields["to"], fields["uid"]]),
    [
      ["info", "error", UID],
      ["error", "info", UID],
    ],
  );
});

test("files of the agent are its own alone", async () => {
  await using server = await ScriptedServer.open();
  await using agt = await openAgentOf(server);
  await ready(agt);
  await agt.agent.close();
  const data = `${agt.folder}/data`;
  assert.equal((await stat(data)).mode & 0o777, 0o700);
  for (const name of ["identity.json", "picture.pb", "pins.json"]) {
    assert.equal((await stat(`${data}/${name}`)).mode & 0o777, 0o600, name);
  }
});
