import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { openTestAgent } from "@bonafide/agent/testing";
import { silentLog } from "@bonafide/lifetime";
import {
  createX509popAttestor,
  createX509popProver,
  openAuthorityFiles,
} from "@bonafide/node-attestor-x509pop";
import { encodePrivateKey, formatPem, generateKey, type GeneratedKey } from "@bonafide/pki";
import { type MadeCertificate, makeCertificate } from "@bonafide/pki/testing";
import type { NodeAttestor, NodeProof, NodeProver } from "@bonafide/plugin-api";
import {
  Agent,
  type AttestAgentRequestSchema,
} from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { PermissionDeniedDetailsSchema } from "@bonafide/proto/spire/api/types/status_pb";
import {
  csrOf,
  failureOf,
  openTestServer,
  TD,
  type TestServer,
  type TestServerOptions,
  type TestSvid,
  wireIdOf,
} from "@bonafide/server/testing";
import type { MessageInitShape } from "@bufbuild/protobuf";

type Request = MessageInitShape<typeof AttestAgentRequestSchema>;

const MUST_REATTEST = 5;

/** A server that takes machines with certificates of one authority, and the folder of its files. */
async function openPlane(
  more: readonly NodeAttestor[] = [],
  options: TestServerOptions["options"] = {},
): Promise<Plane> {
  const folder = mkdtempSync("/tmp/bf-nodeatt-");
  const root = makeCertificate({ commonName: "machines", isAuthority: true });
  const caPath = join(folder, "ca.pem");
  writeFileSync(caPath, root.pem);
  const authorities = await openAuthorityFiles([caPath], { log: silentLog });
  const attestor = createX509popAttestor({ mode: "external_pki", authorities });
  const srv = await openTestServer({ nodeAttestors: [attestor, ...more], options });
  let count = 0;
  const prover = ({ privateKey, pem }: MadeCertificate): NodeProver => {
    const name = String(count++);
    const privateKeyPath = join(folder, `${name}.key`);
    const certificatePath = join(folder, `${name}.pem`);
    writeFileSync(privateKeyPath, formatPem("PRIVATE KEY", encodePrivateKey(privateKey)));
    writeFileSync(certificatePath, pem);
    return createX509popProver({ privateKeyPath, certificatePath });
  };
  return {
    srv,
    machine: (commonName, issuer = root) => makeCertificate({ commonName }, issuer),
    prover,
    proof: (made) => prover(made).begin({ signal: new AbortController().signal }),
    trust: ({ pem }) => {
      writeFileSync(caPath, pem);
    },
    async [Symbol.asyncDispose]() {
      await srv[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

interface Plane extends AsyncDisposable {
  readonly srv: TestServer;
  machine(commonName: string, issuer?: MadeCertificate): MadeCertificate;
  prover(machine: MadeCertificate): NodeProver;
  proof(machine: MadeCertificate): Promise<NodeProof>;
  /** Another authority of machines in place of the first. */
  trust(authority: MadeCertificate): void;
}

function bundlePem({ server }: TestServer): string {
  return server
    .bundle()
    .authorities.map(({ der }) => formatPem("CERTIFICATE", der))
    .join("");
}

interface Attested {
  readonly svid: TestSvid;
  readonly reattestable: boolean;
}

/** Attests as an agent does; `answer` may cheat. */
async function attest(
  srv: TestServer,
  { payload, answer }: NodeProof,
  { type = "x509pop", key = generateKey("ec-p256") }: { type?: string; key?: GeneratedKey } = {},
): Promise<Attested> {
  const challenges = Promise.withResolvers<Uint8Array | undefined>();
  const requests = async function* (): AsyncGenerator<Request, void, void> {
    const value = { data: { type, payload }, params: { csr: csrOf(key) } };
    yield { step: { case: "params", value } };
    const challenge = await challenges.promise;
    if (challenge === undefined) return;
    yield { step: { case: "challengeResponse", value: await answer(challenge) } };
  };
  try {
    for await (const { step } of srv.remote(Agent).attestAgent(requests())) {
      if (step.case === "challenge") challenges.resolve(step.value);
      if (step.case !== "result") continue;
      const { svid, reattestable } = step.value;
      const id = `spiffe://${svid?.id?.trustDomain}${svid?.id?.path}`;
      return { svid: { id, chain: svid?.certChain ?? [], ...key }, reattestable };
    }
  } finally {
    challenges.resolve(undefined);
  }
  throw new Error("no result came");
}

test("a machine with a certificate comes in, is found by what was seen of it, and gets entries by it", async () => {
  await using plane = await openPlane();
  const { srv } = plane;
  const web = await plane.proof(plane.machine("web-1"));
  const { svid, reattestable } = await attest(srv, web);
  assert.match(svid.id, /^spiffe:\/\/example\.org\/spire\/agent\/x509pop\/[0-9a-f]{40}$/);
  assert.equal(reattestable, true);
  const token = await srv.join();
  const local = srv.local(Agent);
  const find = async (filter: object): Promise<readonly string[]> => {
    const { agents } = await local.listAgents({ filter });
    assert.equal((await local.countAgents({ filter })).count, agents.length);
    return agents.map(({ id }) => `spiffe://${id?.trustDomain}${id?.path}`);
  };
  const cn = { type: "x509pop", value: "subject:cn:web-1" };
  const other = { type: "x509pop", value: "subject:cn:web-2" };
  const { selectors } = await local.getAgent({ id: wireIdOf(svid) });
  const plain = selectors.map(({ type, value }) => ({ type, value }));
  assert.ok(plain.some(({ value }) => value === cn.value));
  const match = (how: 0 | 1 | 2 | 3, ...wanted: object[]): Promise<readonly string[]> =>
    find({ bySelectorMatch: { selectors: wanted, match: how } });
  assert.deepEqual(await match(0, ...plain), [svid.id]);
  assert.deepEqual(await match(0, cn), []);
  assert.deepEqual(await match(1, ...plain, other), [svid.id]);
  assert.deepEqual(await match(1, cn), []);
  assert.deepEqual(await match(2, cn), [svid.id]);
  assert.deepEqual(await match(2, cn, other), []);
  assert.deepEqual(await match(3, cn, other), [svid.id]);
  assert.deepEqual(await find({ byCanReattest: true }), [svid.id]);
  assert.deepEqual(await find({ byCanReattest: false }), [token.id]);
  assert.deepEqual(await find({ byAttestationType: "x509pop" }), [svid.id]);
  assert.deepEqual(await find({ byAttestationType: "join_token", byCanReattest: true }), []);
  const group = { trustDomain: TD, path: "/web" };
  await srv.local(Entry).batchCreateEntry({
    entries: [
      { parentId: { trustDomain: TD, path: "/spire/server" }, spiffeId: group, selectors: [cn] },
      {
        parentId: group,
        spiffeId: { trustDomain: TD, path: "/w" },
        selectors: [{ type: "unix", value: "uid:1" }],
      },
    ],
  });
  const { entries } = await srv.remote(Entry, svid).getAuthorizedEntries({});
  assert.deepEqual(
    entries.map(({ spiffeId }) => spiffeId?.path),
    ["/w"],
  );
});

test("agents are listed by when their SVID ends; a time that is none is passed over", async () => {
  await using plane = await openPlane();
  const { srv } = plane;
  await attest(srv, await plane.proof(plane.machine("web-1")));
  const count = async (byExpiresBefore: string): Promise<number> =>
    (await srv.local(Agent).countAgents({ filter: { byExpiresBefore } })).count;
  await srv.restart();
  assert.equal(await count("2999-01-01 00:00:00 +0000 UTC"), 1);
  assert.equal(await count("2000-01-01 00:00:00 +0000 UTC"), 0);
  assert.equal(await count("tomorrow"), 1);
});

test("it attests again instead of renewing, also after it was evicted; a ban holds until it is deleted", async () => {
  await using plane = await openPlane();
  const { srv } = plane;
  const proof = await plane.proof(plane.machine("web-1"));
  const first = await attest(srv, proof);
  const again = await attest(srv, proof);
  assert.equal(again.svid.id, first.svid.id);
  const csr = csrOf(generateKey("ec-p256"));
  const renewed = await failureOf(srv.remote(Agent, again.svid).renewAgent({ params: { csr } }));
  assert.deepEqual([renewed.status, renewed.code], ["permission_denied", "AGENT_MUST_REATTEST"]);
  assert.equal(renewed.error.detail(PermissionDeniedDetailsSchema)?.reason, MUST_REATTEST);
  const id = wireIdOf(first.svid);
  await srv.local(Agent).deleteAgent({ id });
  const evicted = await failureOf(srv.remote(Agent, again.svid).postStatus({}));
  assert.equal(evicted.code, "AGENT_NOT_ATTESTED");
  const back = await attest(srv, proof);
  assert.equal(back.svid.id, first.svid.id);
  await srv.remote(Agent, back.svid).postStatus({});
  const old = await failureOf(srv.remote(Agent, first.svid).postStatus({}));
  assert.equal(old.code, "AGENT_NOT_ATTESTED");
  await srv.local(Agent).banAgent({ id });
  const banned = await failureOf(attest(srv, proof));
  assert.deepEqual([banned.status, banned.code], ["permission_denied", "AGENT_BANNED"]);
  await srv.local(Agent).deleteAgent({ id });
  await attest(srv, proof);
});

test("whatever was not proven has one answer; what is missing is named", async () => {
  await using plane = await openPlane();
  const { srv } = plane;
  const stranger = makeCertificate({ commonName: "machines", isAuthority: true });
  const good = await plane.proof(plane.machine("web-1"));
  const other = await plane.proof(plane.machine("web-2"));
  const bad = [
    await plane.proof(plane.machine("web-1", stranger)),
    { payload: good.payload, answer: other.answer },
    { payload: Buffer.from("{}"), answer: good.answer },
    { payload: good.payload, answer: () => Promise.resolve(Buffer.from("[]")) },
  ];
  for (const proof of bad) {
    const { status, code, error } = await failureOf(attest(srv, proof));
    assert.deepEqual([status, code], ["invalid_argument", "ATTESTATION_FAILED"]);
    assert.equal(error.message, "the node did not prove what it claims");
  }
  const events = srv.events.filter(({ event }) => event === "attestation.refused");
  const reasons = new Set(events.map(({ fields }) => fields?.["reason"]));
  assert.equal(reasons.size, bad.length);
  const value = {
    data: { type: "x509pop", payload: good.payload },
    params: { csr: csrOf(generateKey("ec-p256")) },
  };
  const twice = srv.remote(Agent).attestAgent(
    (async function* () {
      yield { step: { case: "params" as const, value } };
      yield { step: { case: "params" as const, value } };
    })(),
  );
  await twice.next();
  assert.equal((await failureOf(twice.next())).code, "REQUEST_INVALID");
  assert.equal((await srv.local(Agent).countAgents({})).count, 0);
});

function says(path: string, type = "odd"): NodeAttestor["attest"] {
  return () => Promise.resolve({ path, selectors: [{ type, value: "v" }], canReattest: true });
}

function silence(): Promise<Uint8Array> {
  return Promise.resolve(new Uint8Array());
}

test("an attestor speaks for its own nodes and in its own selectors only, and is asked in rounds that end", async () => {
  const findings: Record<string, NodeAttestor["attest"]> = {
    "of a token": says("/join_token/x"),
    "of another": says("/x509pop/x"),
    "no path": says("odd"),
    "up and out": says("/odd/../../workload"),
    "another's selector": says("/odd/1", "unix"),
    "a node's own id": says("/odd/1", "spiffe_id"),
  };
  const odd: NodeAttestor = {
    name: "odd",
    attest: (payload, attestation) => {
      const found = findings[Buffer.from(payload).toString()];
      assert.ok(found !== undefined);
      return found(payload, attestation);
    },
  };
  await using plane = await openPlane([odd]);
  for (const name of Object.keys(findings)) {
    const proof = { payload: Buffer.from(name), answer: silence };
    const { code } = await failureOf(attest(plane.srv, proof, { type: "odd" }));
    assert.equal(code, "ATTESTATION_FAILED", name);
  }
  findings["good"] = says("/odd/1");
  const { svid } = await attest(
    plane.srv,
    { payload: Buffer.from("good"), answer: silence },
    { type: "odd" },
  );
  assert.equal(svid.id, `spiffe://${TD}/spire/agent/odd/1`);
});

test("our agent comes in by its certificate, attests again at half life and after an eviction, and ends when banned", async () => {
  await using plane = await openPlane([], { agentSvidTtlMs: 3000 });
  const { srv } = plane;
  await using agt = await openTestAgent({
    server: { host: "127.0.0.1", port: srv.server.port },
    prover: plane.prover(plane.machine("web-1")),
    bootstrap: { kind: "text", text: bundlePem(srv) },
  });
  await agt.agent.ready({ signal: AbortSignal.timeout(60_000) });
  const { id = "" } = agt.agent;
  assert.match(id, /^spiffe:\/\/example\.org\/spire\/agent\/x509pop\/[0-9a-f]{40}$/);
  await agt.logged("agent.reattested");
  const wireId = { trustDomain: TD, path: id.slice(`spiffe://${TD}`.length) };
  await srv.local(Agent).deleteAgent({ id: wireId });
  while ((await srv.local(Agent).countAgents({})).count === 0) await nextTurn();
  assert.equal(agt.agent.id, id);
  await srv.local(Agent).banAgent({ id: wireId });
  const end = await agt.agent.ended;
  assert.equal(end.kind === "stopped" && end.cause?.code, "agent.banned");
  assert.ok(!agt.log.some(({ event }) => event === "agent.renewed"));
});

test("an agent whose proof is refused keeps asking, and comes in once somebody has mended it", async () => {
  await using plane = await openPlane();
  const { srv } = plane;
  const stranger = makeCertificate({ commonName: "machines", isAuthority: true });
  await using agt = await openTestAgent({
    server: { host: "127.0.0.1", port: srv.server.port },
    prover: plane.prover(plane.machine("web-1", stranger)),
    bootstrap: { kind: "text", text: bundlePem(srv) },
  });
  await agt.logged("agent.reattest_failed");
  plane.trust(stranger);
  await agt.agent.ready({ signal: AbortSignal.timeout(60_000) });
});
