import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { KINDS } from "@bonafide/ledger";
import { type Clock, systemClock } from "@bonafide/lifetime";
import { generateKey, parseCertificate } from "@bonafide/pki";
import type { Store } from "@bonafide/plugin-api";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { PermissionDeniedDetailsSchema } from "@bonafide/proto/spire/api/types/status_pb";
import type { RpcError } from "@bonafide/rpc";
import { decodeSignedAt, SIGNED_AT_OID } from "../../core/signed-at.ts";
import {
  attest,
  collect,
  csrOf,
  failureOf,
  joinRequest,
  openTestServer,
  TD,
  wireIdOf,
} from "../test-server.ts";

const NONE = { trustDomain: TD, path: "/spire/agent/join_token/none" };

function reasonOf(error: RpcError): number | undefined {
  return error.detail(PermissionDeniedDetailsSchema)?.reason;
}

/** Nodes: how they come in, renew, and are put out. */
export function agentSuite(name: string, open: () => Promise<Store>): void {
  test(`${name}: an agent's SVID names it, and says where in the ledger it was signed`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const svid = await srv.join(await srv.token());
    const leaf = parseCertificate(svid.chain[0] ?? new Uint8Array());
    assert.match(svid.id, /^spiffe:\/\/example\.org\/spire\/agent\/join_token\/[0-9a-f-]{36}$/);
    const signedAt = decodeSignedAt(leaf.extensions.get(SIGNED_AT_OID)?.value ?? new Uint8Array());
    assert.ok(signedAt !== undefined && signedAt.n > 0);
    assert.equal(leaf.extensions.get(SIGNED_AT_OID)?.critical, false);
    assert.equal(svid.chain.length, 1);
  });

  test(`${name}: a token is spent once: its first key may repeat, another is refused with an alarm`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const token = await srv.token();
    const key = generateKey("ec-p256");
    const first = await srv.join(token, key);
    const again = await srv.join(token, key);
    assert.equal(again.id, first.id);
    const stolen = await failureOf(srv.join(token));
    assert.deepEqual([stolen.status, stolen.code], ["invalid_argument", "ATTESTATION_FAILED"]);
    const alarms = srv.local(Ledger).log({ kind: KINDS.alarm, follow: true });
    const { value } = await alarms.next();
    const alarm = value?.object.case === "alarm" ? value.object.value : undefined;
    assert.equal(alarm?.code, "join_token.other_key");
    assert.ok(!JSON.stringify(alarm.facts).includes(token));
    await alarms.return?.();
  });

  test(`${name}: of many callers with one token exactly one wins`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const token = await srv.token();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, () => attest(srv.remote(Agent), token, generateKey("ec-p256"))),
    );
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  });

  test(`${name}: unknown and expired tokens have the same answer`, async () => {
    let offset = 0;
    const clock = shifted(() => offset);
    await using srv = await openTestServer({ store: await open(), clock });
    const token = await srv.token();
    offset = 601_000;
    for (const given of [token, "never-made", "with space", "a/b"]) {
      const { status, code, error } = await failureOf(srv.join(given));
      assert.deepEqual([status, code], ["invalid_argument", "ATTESTATION_FAILED"]);
      assert.equal(error.message, "the join token is not valid");
    }
  });

  test(`${name}: an attestation that lacks something, or is of an unknown type, is refused`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const csr = csrOf(generateKey("ec-p256"));
    const data = { type: "join_token", payload: new Uint8Array([65]) };
    const cases = [
      [{}, "invalid_argument", "REQUEST_INVALID"],
      [{ data }, "invalid_argument", "REQUEST_INVALID"],
      [{ params: { csr } }, "invalid_argument", "REQUEST_INVALID"],
      [{ data: { ...data, type: "" }, params: { csr } }, "invalid_argument", "REQUEST_INVALID"],
      [{ data: { type: "join_token" }, params: { csr } }, "invalid_argument", "REQUEST_INVALID"],
      [{ data, params: { csr: new Uint8Array([1]) } }, "invalid_argument", "CSR_INVALID"],
      [
        { data: { ...data, type: "aws_iid" }, params: { csr } },
        "failed_precondition",
        "ATTESTATION_TYPE_UNKNOWN",
      ],
    ] as const;
    for (const [value, status, code] of cases) {
      const call = srv.remote(Agent).attestAgent(
        (async function* () {
          yield { step: { case: "params" as const, value } };
        })(),
      );
      const failure = await failureOf(collect(call));
      assert.deepEqual([failure.status, failure.code], [status, code]);
    }
  });

  test(`${name}: an agent renews, and the old SVID goes on until it ends`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const svid = await srv.join();
    const agent = srv.remote(Agent, svid);
    const key = generateKey("ec-p256");
    const { svid: renewed } = await agent.renewAgent({ params: { csr: csrOf(key) } });
    assert.equal(renewed?.certChain.length, 1);
    const next = { id: svid.id, chain: renewed.certChain, privateKey: key.privateKey };
    await srv.remote(Agent, next).postStatus({ agentVersion: "0.1" });
    await agent.postStatus({});
    for (const request of [{}, { params: {} }]) {
      const { status } = await failureOf(agent.renewAgent(request));
      assert.equal(status, "invalid_argument");
    }
    const long = await failureOf(agent.postStatus({ agentVersion: "v".repeat(256) }));
    assert.equal(long.status, "invalid_argument");
  });

  test(`${name}: an evicted agent is told to attest again; its token is spent, a new one works`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const token = await srv.token();
    const key = generateKey("ec-p256");
    const svid = await srv.join(token, key);
    await srv.local(Agent).deleteAgent({ id: wireIdOf(svid) });
    const { status, code, error } = await failureOf(srv.remote(Agent, svid).postStatus({}));
    assert.deepEqual([status, code], ["permission_denied", "AGENT_NOT_ATTESTED"]);
    assert.equal(reasonOf(error), 2);
    assert.equal((await failureOf(srv.join(token, key))).code, "ATTESTATION_FAILED");
    assert.notEqual((await srv.join()).id, svid.id);
    const gone = await failureOf(srv.local(Agent).getAgent({ id: wireIdOf(svid) }));
    assert.deepEqual([gone.status, gone.code], ["not_found", "AGENT_NOT_FOUND"]);
    const twice = await failureOf(srv.local(Agent).deleteAgent({ id: wireIdOf(svid) }));
    assert.equal(twice.status, "not_found");
  });

  test(`${name}: a banned agent is told so, and cannot attest again until it is deleted`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const token = await srv.token();
    const key = generateKey("ec-p256");
    const svid = await srv.join(token, key);
    await srv.local(Agent).banAgent({ id: wireIdOf(svid) });
    for (const call of [() => srv.remote(Agent, svid).renewAgent({}), () => srv.join(token, key)]) {
      const { status, code, error } = await failureOf(call());
      assert.deepEqual([status, code], ["permission_denied", "AGENT_BANNED"]);
      assert.equal(reasonOf(error), 4);
    }
    const banned = await srv.local(Agent).getAgent({ id: wireIdOf(svid) });
    assert.deepEqual([banned.banned, banned.x509svidSerialNumber], [true, ""]);
    const { count } = await srv.local(Agent).countAgents({ filter: { byBanned: true } });
    assert.equal(count, 1);
    await srv.local(Agent).deleteAgent({ id: wireIdOf(svid) });
    assert.equal((await srv.local(Agent).listAgents({})).agents.length, 0);
    assert.equal(
      (await failureOf(srv.remote(Agent, svid).renewAgent({}))).code,
      "AGENT_NOT_ATTESTED",
    );
  });

  test(`${name}: agents are listed in pages, by filter and through a mask`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const joined = [];
    for (let i = 0; i < 3; i++) joined.push((await srv.join()).id);
    const local = srv.local(Agent);
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await local.listAgents({ pageSize: 2, pageToken });
      seen.push(...page.agents.map(({ id }) => `spiffe://${id?.trustDomain}${id?.path}`));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.deepEqual(seen, joined);
    const masked = await local.listAgents({ outputMask: { attestationType: true } });
    assert.deepEqual(
      masked.agents.map((a) => [a.attestationType, a.x509svidSerialNumber, a.x509svidExpiresAt]),
      joined.map(() => ["join_token", "", 0n]),
    );
    const whole = await local.listAgents({});
    assert.ok(whole.agents.every((a) => a.x509svidSerialNumber !== "" && a.x509svidExpiresAt > 0n));
    const none = await local.listAgents({ filter: { byAttestationType: "aws_iid" } });
    assert.equal(none.agents.length, 0);
    const bad = await failureOf(local.listAgents({ pageSize: 1, pageToken: "x" }));
    assert.equal(bad.code, "PAGE_TOKEN_INVALID");
    const empty = await failureOf(
      local.listAgents({ filter: { bySelectorMatch: { selectors: [] } } }),
    );
    assert.equal(empty.status, "invalid_argument");
  });

  test(`${name}: calls about agents take agents' IDs only`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const local = srv.local(Agent);
    const wrong = [
      undefined,
      { trustDomain: TD, path: "/workload" },
      { trustDomain: TD, path: "/spire/agent" },
      { trustDomain: TD, path: "/spire/server" },
      { trustDomain: "other.org", path: NONE.path },
      { trustDomain: TD, path: "spire/agent/x" },
    ];
    for (const id of wrong) {
      const request = id === undefined ? {} : { id };
      for (const call of [
        () => local.getAgent(request),
        () => local.deleteAgent(request),
        () => local.banAgent(request),
      ]) {
        assert.equal((await failureOf(call())).status, "invalid_argument");
      }
    }
    for (const call of [
      () => local.getAgent({ id: NONE }),
      () => local.deleteAgent({ id: NONE }),
      () => local.banAgent({ id: NONE }),
    ]) {
      assert.equal((await failureOf(call())).status, "not_found");
    }
  });

  test(`${name}: a token's alias is an entry of the node, bound when the token is spent`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const entries = srv.local(Entry);
    const token = await srv.token("/group");
    const [before] = (await entries.listEntries({})).entries;
    assert.match(before?.parentId?.path ?? "", /\/join_token\/sha256:[0-9a-f]{64}$/);
    assert.ok(!JSON.stringify(before?.parentId).includes(token));
    const svid = await srv.join(token);
    const [after] = (await entries.listEntries({})).entries;
    assert.equal(after?.parentId?.path, wireIdOf(svid).path);
    assert.deepEqual(
      after.selectors.map(({ type, value }) => [type, value]),
      [["spiffe_id", svid.id]],
    );
    await entries.batchCreateEntry({
      entries: [
        {
          parentId: { trustDomain: TD, path: "/group" },
          spiffeId: { trustDomain: TD, path: "/member" },
          selectors: [{ type: "unix", value: "uid:1" }],
        },
      ],
    });
    const { entries: given } = await srv.remote(Entry, svid).getAuthorizedEntries({});
    assert.deepEqual(new Set(given.map((e) => e.spiffeId?.path)), new Set(["/group", "/member"]));
    await srv.local(Agent).deleteAgent({ id: wireIdOf(svid) });
    assert.deepEqual(
      (await entries.listEntries({})).entries.map((e) => e.spiffeId?.path),
      ["/member"],
    );
  });

  test(`${name}: tokens are made by administrators, with a time to live and a fitting name`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const local = srv.local(Agent);
    const svid = await srv.join();
    for (const client of [srv.remote(Agent), srv.remote(Agent, svid)]) {
      const { status, code } = await failureOf(client.createJoinToken({ ttl: 60 }));
      assert.deepEqual([status, code], ["permission_denied", "ADMIN_REQUIRED"]);
    }
    for (const request of [
      { ttl: 0 },
      { ttl: -1 },
      { ttl: 60, token: "a/b" },
      { ttl: 60, token: ".." },
      { ttl: 60, agentId: { trustDomain: TD, path: "/spire/agent/x" } },
      { ttl: 60, agentId: { trustDomain: "other.org", path: "/x" } },
    ]) {
      assert.equal((await failureOf(local.createJoinToken(request))).status, "invalid_argument");
    }
    const short = await failureOf(local.createJoinToken({ ttl: 60, token: "fifteen-letters" }));
    assert.deepEqual([short.status, short.code], ["invalid_argument", "JOIN_TOKEN_TOO_SHORT"]);
    const made = await local.createJoinToken({ ttl: 60, token: "chosen-by-hand-1" });
    assert.equal(made.value, "chosen-by-hand-1");
    const twice = await failureOf(local.createJoinToken({ ttl: 60, token: "chosen-by-hand-1" }));
    assert.deepEqual([twice.status, twice.code], ["already_exists", "JOIN_TOKEN_EXISTS"]);
  });

  test(`${name}: the request stream of a join may end, or be empty`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const nothing = srv.remote(Agent).attestAgent(Readable.from([]));
    assert.equal((await failureOf(collect(nothing))).status, "invalid_argument");
    const token = await srv.token();
    const answers = await collect(
      srv.remote(Agent).attestAgent(joinRequest(token, generateKey("ec-p256"))),
    );
    assert.equal(answers.length, 1);
  });
}

function shifted(offset: () => number): Clock {
  return { ...systemClock, now: () => systemClock.now() + offset() };
}
