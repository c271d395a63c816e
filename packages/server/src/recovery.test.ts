import assert from "node:assert/strict";
import { createHash, createPublicKey, randomBytes, sign, verify } from "node:crypto";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { KINDS } from "@bonafide/ledger";
import { type Clock, systemClock } from "@bonafide/lifetime";
import { type GeneratedKey, generateKey, parseCertificate } from "@bonafide/pki";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import {
  Recovery,
  type RecoverRequestSchema,
  type RecoverResponse,
} from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { BundleSchema } from "@bonafide/proto/spire/api/types/bundle_pb";
import { createClient } from "@bonafide/rpc";
import { parseTrustDomainName } from "@bonafide/spiffe";
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { signedBundleText } from "./authority/recovery-key.ts";
import { exporterValue } from "./port/exporter-value.ts";
import {
  csrOf,
  failureOf,
  openTestServer,
  openTlsChannel,
  TD,
  type TestServer,
  type TestSvid,
} from "./testing/test-server.ts";

const DAY = 86_400_000;

interface Attempt {
  readonly svid: TestSvid;
  /** The key that signs; default the SVID's own. */
  readonly signer?: GeneratedKey;
  /** Replaces the bytes of the connection. */
  readonly exporter?: Uint8Array;
  readonly nonce?: Uint8Array;
}

async function recover(srv: TestServer, attempt: Attempt): Promise<RecoverResponse | undefined> {
  let socket: TLSSocket | undefined;
  const channel = srv.keep(
    openTlsChannel(srv.server, { isBlind: true, onSocket: (opened) => (socket = opened) }),
  );
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const fresh = generateKey("ec-p256");
  const requests = async function* (): AsyncGenerator<
    MessageInitShape<typeof RecoverRequestSchema>,
    void,
    void
  > {
    yield { step: { case: "start", value: {} } };
    const given = await promise;
    const nonce = attempt.nonce ?? given;
    assert.ok(socket !== undefined);
    const exported = exporterValue(socket, "EXPORTER-bonafide-recover");
    const csr = csrOf(fresh);
    const message = Buffer.concat([
      Buffer.from("bonafide.agent.v1.Recover\0"),
      nonce,
      attempt.exporter ?? exported,
      createHash("sha256").update(csr).digest(),
    ]);
    const signer = attempt.signer?.privateKey ?? attempt.svid.privateKey;
    const signature = sign("sha256", message, signer);
    const proof = { expiredChain: [...attempt.svid.chain], csr, signature };
    yield { step: { case: "proof", value: proof } };
  };
  let last: RecoverResponse | undefined;
  for await (const response of createClient(Recovery, channel).recover(requests())) {
    if (response.step.case === "nonce") resolve(response.step.value);
    last = response;
  }
  return last;
}

/** A server whose node joined ten days ago, with everything of then expired since. */
async function afterTenDays(days = 10): Promise<{ srv: TestServer; svid: TestSvid }> {
  let offset = -days * DAY;
  const clock: Clock = { ...systemClock, now: () => Date.now() + offset };
  const srv = await openTestServer({ clock, isBlind: true });
  const svid = await srv.join();
  offset = 0;
  await srv.restart();
  return { srv, svid };
}

test("a node comes back with its expired SVID, also when its root has expired meanwhile", async () => {
  const { srv, svid } = await afterTenDays();
  await using _ = srv;
  const expired = await failureOf(srv.remote(Agent, svid).renewAgent({}));
  assert.equal(expired.code, "AGENT_EXPIRED");
  const answer = await recover(srv, { svid });
  assert.equal(answer?.step.case, "result");
  assert.equal(
    answer.step.case === "result" && answer.step.value.bundle?.x509Authorities.length,
    1,
  );
  const chain = answer.step.case === "result" ? (answer.step.value.svid?.certChain ?? []) : [];
  const leaf = parseCertificate(chain[0] ?? new Uint8Array());
  assert.deepEqual(leaf.uris, [svid.id]);
  assert.ok(leaf.notAfter > Date.now());
});

test("recovery needs the old key, this connection and this nonce; a wrong proof raises an alarm", async () => {
  const { srv, svid } = await afterTenDays();
  await using _ = srv;
  const attempts: readonly Partial<Attempt>[] = [
    { signer: generateKey("ec-p256") },
    { exporter: new Uint8Array(32) },
    { nonce: new Uint8Array(32) },
  ];
  for (const attempt of attempts) {
    const { code, status } = await failureOf(recover(srv, { svid, ...attempt }));
    assert.equal(code, "RECOVERY_REFUSED");
    assert.equal(status, "permission_denied");
  }
  assert.ok(srv.events.some(({ fields }) => fields?.["code"] === "recovery.wrong_proof"));
});

test("recovery is refused to banned and evicted nodes, and beyond the window", async () => {
  {
    const { srv, svid } = await afterTenDays();
    await using _ = srv;
    await srv.local(Agent).banAgent({ id: wireId(svid) });
    assert.equal((await failureOf(recover(srv, { svid }))).code, "AGENT_BANNED");
    await srv.local(Agent).deleteAgent({ id: wireId(svid) });
    assert.equal((await failureOf(recover(srv, { svid }))).code, "RECOVERY_REFUSED");
  }
  const { srv, svid } = await afterTenDays(31);
  await using _ = srv;
  assert.equal((await failureOf(recover(srv, { svid }))).code, "RECOVERY_REFUSED");
});

test("only the last SVID that a node used recovers; one whose successor never arrived does too", async () => {
  let offset = -10 * DAY;
  const clock: Clock = { ...systemClock, now: () => Date.now() + offset };
  await using srv = await openTestServer({ clock, isBlind: true });
  const first = await srv.join();
  const renewed = async (svid: TestSvid): Promise<TestSvid> => {
    const key = generateKey("ec-p256");
    const params = { csr: csrOf(key) };
    const answer = await srv.remote(Agent, svid).renewAgent({ params });
    return { ...svid, chain: answer.svid?.certChain ?? [], privateKey: key.privateKey };
  };
  offset += 60_000;
  const second = await renewed(first);
  await srv.remote(Agent, second).postStatus({});
  offset += 60_000;
  // As if the answer had been lost: the third is never shown to the server.
  await renewed(second);
  offset = 0;
  await srv.restart();
  assert.equal((await failureOf(recover(srv, { svid: first }))).code, "RECOVERY_REFUSED");
  assert.ok(srv.events.some(({ fields }) => fields?.["code"] === "recovery.superseded"));
  assert.equal((await recover(srv, { svid: second }))?.step.case, "result");
});

test("a longer SVID from before the lifetime was made shorter does not recover", async () => {
  let offset = -DAY / 12;
  const clock: Clock = { ...systemClock, now: () => Date.now() + offset };
  await using srv = await openTestServer({ clock, isBlind: true });
  const first = await srv.join();
  await srv.remote(Agent, first).postStatus({});
  await srv.restart({ agentSvidTtlMs: 600_000 });
  offset += 60_000;
  const key = generateKey("ec-p256");
  const params = { csr: csrOf(key) };
  const { svid } = await srv.remote(Agent, first).renewAgent({ params });
  const second = { ...first, chain: svid?.certChain ?? [], privateKey: key.privateKey };
  await srv.remote(Agent, second).postStatus({});
  offset = 0;
  assert.equal((await failureOf(recover(srv, { svid: first }))).code, "RECOVERY_REFUSED");
  assert.equal((await recover(srv, { svid: second }))?.step.case, "result");
});

test("a recovery is a leaf that names node, address and SVID, written before the SVID is signed", async () => {
  const { srv, svid } = await afterTenDays();
  await using _ = srv;
  await recover(srv, { svid });
  const alarms = srv.local(Ledger).log({ kind: KINDS.alarm });
  const codes: unknown[] = [];
  for await (const { object } of alarms) {
    if (object.case !== "alarm") continue;
    const { code, facts } = object.value;
    codes.push(code);
    assert.equal(facts["subject"], svid.id);
    assert.equal(facts["address"], "127.0.0.1");
    const [leaf] = svid.chain;
    assert.equal(facts["serial"], parseCertificate(leaf ?? new Uint8Array()).serialText);
  }
  assert.deepEqual(codes, ["recovery.accepted"]);
});

test("the recovery key signs the bundle, and nothing about it is secret", async () => {
  await using srv = await openTestServer();
  const nonce = randomBytes(32);
  const trustDomain = parseTrustDomainName(TD);
  const signed = await srv.remote(Recovery).fetchSignedBundle({ nonce });
  assert.equal(
    (await failureOf(srv.remote(Recovery).fetchSignedBundle({}))).code,
    "REQUEST_INVALID",
  );
  assert.deepEqual(signed.recoveryKey, srv.server.recoveryKey);
  const prefix = Buffer.from("302a300506032b6570032100", "hex");
  const key = createPublicKey({
    key: Buffer.concat([prefix, signed.recoveryKey]),
    format: "der",
    type: "spki",
  });
  const digest = createHash("sha256").update(signed.bundle).digest();
  const statement = { trustDomain, sequence: signed.sequenceNumber, digest, nonce };
  assert.ok(verify(null, signedBundleText(statement), key, signed.signature));
  const replayed = signedBundleText({ ...statement, nonce: randomBytes(32) });
  assert.ok(!verify(null, replayed, key, signed.signature));
  const local = await srv.local(Recovery).fetchSignedBundle({ nonce });
  assert.deepEqual(local.recoveryKey, signed.recoveryKey);
  const bundle = fromBinary(BundleSchema, signed.bundle);
  assert.equal(bundle.sequenceNumber, signed.sequenceNumber);
  assert.equal(bundle.x509Authorities.length, 1);
});

function wireId(svid: TestSvid): { trustDomain: string; path: string } {
  return { trustDomain: TD, path: svid.id.slice(`spiffe://${TD}`.length) };
}
