import assert from "node:assert/strict";
import { test } from "node:test";
import { WORKLOAD_HEADERS } from "@bonafide/agent/testing";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { SpiffeWorkloadAPI } from "@bonafide/proto/workload_pb";
import type { Client } from "@bonafide/rpc";
import { failureOf, TD } from "@bonafide/server/testing";
import {
  parseJwtBundle,
  parseJwtSvid,
  parseTrustDomainName,
  verifyJwtSvid,
} from "@bonafide/spiffe";
import { next, type Node, openNode } from "./testing.ts";

const AUDIENCE = "spiffe://example.org/db";
const callOptions = (): { headers: Readonly<Record<string, string>>; signal: AbortSignal } => ({
  headers: WORKLOAD_HEADERS,
  signal: AbortSignal.timeout(60_000),
});
const workload = (node: Node): Client<typeof SpiffeWorkloadAPI> =>
  node.agt.workload(SpiffeWorkloadAPI);

/** The JWT bundle of the own trust domain as the agent gives it. */
async function ownBundle(node: Node): Promise<string> {
  const stream = workload(node).fetchJWTBundles({}, callOptions());
  const { bundles } = await next(stream);
  await stream.return();
  return Buffer.from(bundles[`spiffe://${TD}`] ?? []).toString();
}

test("WLA-01 (Workload API §1): the X.509 and the JWT profile are served, the WIT profile is not", async () => {
  await using node = await openNode();
  await node.entry("/one");
  const client = workload(node);
  const x509 = client.fetchX509SVID({}, callOptions());
  assert.equal((await next(x509)).svids.length, 1);
  await x509.return();
  const { svids } = await client.fetchJWTSVID({ audience: [AUDIENCE] }, callOptions());
  assert.equal(svids.length, 1);
  const wit = await failureOf(client.fetchWITSVID({}, callOptions()).next());
  assert.equal(wit.status, "unimplemented");
});

test("WLA-10 (Workload API §4.5): a mandatory field that is missing is INVALID_ARGUMENT", async () => {
  await using node = await openNode();
  await node.entry("/one");
  const client = workload(node);
  const { svids } = await client.fetchJWTSVID({ audience: [AUDIENCE] }, callOptions());
  const svid = svids[0]?.svid ?? "";
  for (const call of [
    client.fetchJWTSVID({}, callOptions()),
    client.fetchJWTSVID({ audience: [""] }, callOptions()),
    client.fetchJWTSVID({ audience: [AUDIENCE], spiffeId: "one" }, callOptions()),
    client.validateJWTSVID({ svid }, callOptions()),
    client.validateJWTSVID({ audience: AUDIENCE }, callOptions()),
  ]) {
    const failure = await failureOf(call);
    assert.deepEqual([failure.status, failure.code], ["invalid_argument", "REQUEST_INVALID"]);
  }
});

test("WLA-22, WLA-23 (Workload API §6.2.1): a token for each identity, or for the one that is named", async () => {
  await using node = await openNode();
  await node.entry("/first", { hint: "web" });
  await node.entry("/second");
  const client = workload(node);
  const { svids } = await client.fetchJWTSVID({ audience: [AUDIENCE, "x"] }, callOptions());
  assert.deepEqual(svids.map(({ spiffeId, hint }) => `${spiffeId} ${hint}`).toSorted(), [
    `spiffe://${TD}/first web`,
    `spiffe://${TD}/second `,
  ]);
  for (const { spiffeId, svid } of svids) {
    const parsed = parseJwtSvid(svid);
    assert.equal(parsed.id, spiffeId);
    assert.deepEqual(parsed.audience, [AUDIENCE, "x"]);
  }
  const request = { audience: [AUDIENCE], spiffeId: `spiffe://${TD}/second` };
  const one = await client.fetchJWTSVID(request, callOptions());
  assert.deepEqual(
    one.svids.map(({ spiffeId }) => spiffeId),
    [`spiffe://${TD}/second`],
  );
  for (const spiffeId of [`spiffe://${TD}/third`, "spiffe://other.example/second"]) {
    const failure = await failureOf(client.fetchJWTSVID({ ...request, spiffeId }, callOptions()));
    assert.deepEqual([failure.status, failure.code], ["permission_denied", "NO_IDENTITY_ISSUED"]);
  }
});

test("who has no identity gets no token, no bundle and no verdict", async () => {
  await using node = await openNode();
  const client = workload(node);
  for (const call of [
    () => client.fetchJWTSVID({ audience: [AUDIENCE] }, callOptions()),
    () => client.fetchJWTBundles({}, callOptions()).next(),
    () => client.validateJWTSVID({ audience: AUDIENCE, svid: "a.b.c" }, callOptions()),
  ]) {
    const failure = await failureOf(call());
    assert.deepEqual([failure.status, failure.code], ["permission_denied", "NO_IDENTITY_ISSUED"]);
  }
  const headless = await failureOf(
    client.fetchJWTSVID({ audience: [AUDIENCE] }, { signal: AbortSignal.timeout(60_000) }),
  );
  assert.equal(headless.code, "WORKLOAD_HEADER_MISSING");
});

test("an identity that was taken back takes its tokens with it, cached ones too", async () => {
  await using node = await openNode();
  const id = await node.entry("/one");
  await node.entry("/two");
  const client = workload(node);
  const request = { audience: [AUDIENCE], spiffeId: `spiffe://${TD}/one` };
  const first = await client.fetchJWTSVID(request, callOptions());
  const again = await client.fetchJWTSVID(request, callOptions());
  assert.equal(again.svids[0]?.svid, first.svids[0]?.svid);
  await node.remove(id);
  await node.entry("/three");
  const failure = await failureOf(client.fetchJWTSVID(request, callOptions()));
  assert.equal(failure.code, "NO_IDENTITY_ISSUED");
});

test("WLA-24 (Workload API §6.2.2): JWT bundles are JWK sets of JWT keys alone, the own trust domain's at least", async () => {
  await using node = await openNode();
  await node.entry("/one");
  const text = await ownBundle(node);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- judged member by member below
  const { keys, ...rest } = JSON.parse(text) as { keys: Record<string, string>[] };
  assert.deepEqual(rest, {});
  assert.equal(keys.length, 1);
  for (const key of keys) {
    assert.deepEqual(Object.keys(key).toSorted(), ["crv", "kid", "kty", "use", "x", "y"]);
    assert.equal(key["use"], "jwt-svid");
  }
  const { svids } = await workload(node).fetchJWTSVID({ audience: [AUDIENCE] }, callOptions());
  const td = parseTrustDomainName(TD);
  const verified = verifyJwtSvid(svids[0]?.svid ?? "", new Map([[td, parseJwtBundle(td, text)]]), {
    audience: AUDIENCE,
    now: Date.now(),
  });
  assert.equal(verified.id, `spiffe://${TD}/one`);
});

test("WLA-25 (Workload API §6.2.3): a token is validated as the standard says, and for the audience", async () => {
  await using node = await openNode();
  await node.entry("/one");
  const client = workload(node);
  const { svids } = await client.fetchJWTSVID({ audience: [AUDIENCE] }, callOptions());
  const svid = svids[0]?.svid ?? "";
  const answer = await client.validateJWTSVID({ audience: AUDIENCE, svid }, callOptions());
  assert.equal(answer.spiffeId, `spiffe://${TD}/one`);
  await using elsewhere = await openNode();
  const id = { trustDomain: TD, path: "/one" };
  const forged = await elsewhere.srv.local(SVID).mintJWTSVID({ id, audience: [AUDIENCE] });
  const [header = "", payload = "", signature = ""] = svid.split(".");
  const none = Buffer.from('{"alg":"none"}').toString("base64url");
  for (const [audience, token, reason] of [
    ["other", svid, "audience"],
    [AUDIENCE, forged.svid?.token ?? "", "key-unknown"],
    [AUDIENCE, `${header}.${payload}.${signature.slice(0, 84)}`, "signature"],
    [AUDIENCE, `${none}.${payload}.${signature}`, "algorithm"],
    [AUDIENCE, "a", "not-compact"],
  ] as const) {
    const failure = await failureOf(
      client.validateJWTSVID({ audience, svid: token }, callOptions()),
    );
    assert.deepEqual([failure.status, failure.code], ["invalid_argument", "JWT_SVID_REFUSED"]);
    assert.ok(failure.error.message.includes(reason), failure.error.message);
  }
});

test("WLA-26 (Workload API §6.2.3): subject, audience as a list, and end are among the claims", async () => {
  await using node = await openNode({ options: { jwtIssuer: "https://oidc.example.org" } });
  await node.entry("/one");
  const client = workload(node);
  const { svids } = await client.fetchJWTSVID({ audience: [AUDIENCE] }, callOptions());
  const svid = svids[0]?.svid ?? "";
  const { claims } = await client.validateJWTSVID({ audience: AUDIENCE, svid }, callOptions());
  const parsed = parseJwtSvid(svid);
  assert.deepEqual(claims, {
    sub: `spiffe://${TD}/one`,
    aud: [AUDIENCE],
    exp: parsed.expiresAt / 1000,
    iat: (parsed.issuedAt ?? 0) / 1000,
    iss: "https://oidc.example.org",
  });
});
