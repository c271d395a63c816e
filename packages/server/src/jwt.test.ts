import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "@bonafide/lifetime";
import {
  createCsr,
  generateKey,
  keySigner,
  parseCertificate,
  publicKeyOf,
  verifyPath,
} from "@bonafide/pki";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import type { Bundle as WireBundle } from "@bonafide/proto/spire/api/types/bundle_pb";
import {
  type JwtBundleSet,
  jwtBundleOf,
  jwtBundleSetOf,
  parseTrustDomainName,
  verifyJwtSvid,
} from "@bonafide/spiffe";
import {
  failureOf,
  openTestServer,
  TD,
  type TestServer,
  type TestSvid,
  wireIdOf,
} from "./testing/test-server.ts";

const AUDIENCE = "spiffe://example.org/db";
const DAY = 86_400_000;

/** The JWT keys of a bundle from the wire. */
function keysOf(bundle: WireBundle): JwtBundleSet {
  const authorities = bundle.jwtAuthorities.map(({ keyId, publicKey }) => ({
    keyId,
    publicKey: publicKeyOf({ spki: publicKey }),
  }));
  return jwtBundleSetOf([jwtBundleOf(parseTrustDomainName(TD), authorities)]);
}

async function entryOf(srv: TestServer, node: TestSvid, more: object = {}): Promise<string> {
  const { results } = await srv.local(Entry).batchCreateEntry({
    entries: [
      {
        parentId: wireIdOf(node),
        spiffeId: { trustDomain: TD, path: "/w" },
        selectors: [{ type: "unix", value: "uid:1" }],
        hint: "h",
        ...more,
      },
    ],
  });
  return results[0]?.entry?.id ?? "";
}

test("JWT-07, JWT-11 (JWT-SVID §3.1, §3.3): an agent gets a token of five minutes for its own entry", async () => {
  await using srv = await openTestServer();
  const node = await srv.join();
  const entryId = await entryOf(srv, node);
  const { svid } = await srv.remote(SVID, node).newJWTSVID({ entryId, audience: [AUDIENCE, "x"] });
  const bundles = keysOf(await srv.remote(Bundle).getBundle({}));
  const verified = verifyJwtSvid(svid?.token ?? "", bundles, { audience: "x", now: Date.now() });
  assert.equal(verified.id, `spiffe://${TD}/w`);
  assert.deepEqual(verified.audience, [AUDIENCE, "x"]);
  assert.equal(verified.expiresAt - (verified.issuedAt ?? 0), 300_000);
  assert.equal(Number(svid?.expiresAt) * 1000, verified.expiresAt);
  assert.equal(Number(svid?.issuedAt) * 1000, verified.issuedAt);
  assert.deepEqual([svid?.hint, svid?.id], ["h", svid?.id]);
  assert.deepEqual([...verified.claims.keys()].toSorted(), ["aud", "exp", "iat", "sub"]);
});

test("an entry's own lifetime and token ID, and the server's issuer, are in the token", async () => {
  await using srv = await openTestServer({ options: { jwtIssuer: "https://oidc.example.org" } });
  const node = await srv.join();
  const entryId = await entryOf(srv, node, {
    jwtSvidTtl: 42,
    additionalAttributes: { jwtSvidIncludeJti: true },
  });
  const client = srv.remote(SVID, node);
  const bundles = keysOf(await srv.remote(Bundle).getBundle({}));
  const ids = new Set<unknown>();
  for (let i = 0; i < 2; i++) {
    const { svid } = await client.newJWTSVID({ entryId, audience: [AUDIENCE] });
    const verified = verifyJwtSvid(svid?.token ?? "", bundles, {
      audience: AUDIENCE,
      now: Date.now(),
    });
    assert.equal(verified.expiresAt - (verified.issuedAt ?? 0), 42_000);
    assert.equal(verified.claims.get("iss"), "https://oidc.example.org");
    ids.add(verified.claims.get("jti"));
  }
  assert.equal(ids.size, 2);
});

test("no token without an audience, for another node's entry, or for who is no agent", async () => {
  await using srv = await openTestServer();
  const [mine, other] = [await srv.join(), await srv.join()];
  const entryId = await entryOf(srv, mine);
  const client = srv.remote(SVID, mine);
  for (const audience of [[], [""], ["a", ""], Array.from({ length: 33 }, () => "a")]) {
    const failure = await failureOf(client.newJWTSVID({ entryId, audience }));
    assert.deepEqual([failure.status, failure.code], ["invalid_argument", "REQUEST_INVALID"]);
  }
  const nameless = await failureOf(client.newJWTSVID({ audience: ["a"] }));
  assert.equal(nameless.code, "REQUEST_INVALID");
  for (const call of [
    client.newJWTSVID({ entryId: "unknown", audience: ["a"] }),
    srv.remote(SVID, other).newJWTSVID({ entryId, audience: ["a"] }),
  ]) {
    const failure = await failureOf(call);
    assert.deepEqual([failure.status, failure.code], ["not_found", "ENTRY_NOT_FOUND"]);
  }
  const anonymous = await failureOf(srv.remote(SVID).newJWTSVID({ entryId, audience: ["a"] }));
  assert.deepEqual([anonymous.status, anonymous.code], ["permission_denied", "AGENT_REQUIRED"]);
});

test("the bundle carries the JWT keys, through a mask too", async () => {
  await using srv = await openTestServer();
  const whole = await srv.remote(Bundle).getBundle({});
  const [key] = whole.jwtAuthorities;
  assert.equal(whole.jwtAuthorities.length, 1);
  assert.match(key?.keyId ?? "", /^[0-9a-f]{40}$/);
  assert.ok(Number(key?.expiresAt) * 1000 > Date.now());
  const masked = await srv.remote(Bundle).getBundle({ outputMask: { jwtAuthorities: true } });
  assert.deepEqual([masked.jwtAuthorities.length, masked.x509Authorities.length], [1, 0]);
  const without = await srv.remote(Bundle).getBundle({ outputMask: { x509Authorities: true } });
  assert.deepEqual([without.jwtAuthorities.length, without.x509Authorities.length], [0, 1]);
});

test("a JWT key is published before it signs, and verifies what it signed until its end", async () => {
  let offset = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + offset };
  await using srv = await openTestServer({ clock, isBlind: true });
  const id = { trustDomain: TD, path: "/w" };
  const signers = new Set<string>();
  let bundles = keysOf(await srv.local(Bundle).getBundle({}));
  for (let days = 0; days < 15; days += 0.5) {
    const { svid } = await srv.local(SVID).mintJWTSVID({ id, audience: [AUDIENCE] });
    // By the bundle of half a day ago: the key was in it before it signed.
    const options = { audience: AUDIENCE, now: clock.now() };
    const { claims } = verifyJwtSvid(svid?.token ?? "", bundles, options);
    assert.equal(claims.get("sub"), `spiffe://${TD}/w`);
    const header: unknown = JSON.parse(
      Buffer.from(svid?.token.split(".")[0] ?? "", "base64url").toString(),
    );
    if (typeof header === "object" && header !== null && "kid" in header) {
      signers.add(String(header.kid));
    }
    bundles = keysOf(await srv.local(Bundle).getBundle({}));
    assert.ok((bundles.get(parseTrustDomainName(TD))?.keys.size ?? 0) <= 3);
    offset += DAY / 2;
    await srv.restart();
  }
  assert.ok(signers.size >= 3, `${signers.size} keys signed`);
});

test("an administrator mints tokens for workloads of our own domain, and nobody else does", async () => {
  await using srv = await openTestServer();
  const local = srv.local(SVID);
  const id = { trustDomain: TD, path: "/w" };
  const { svid } = await local.mintJWTSVID({ id, audience: [AUDIENCE], ttl: 7 });
  assert.equal(Number(svid?.expiresAt) - Number(svid?.issuedAt), 7);
  assert.ok(srv.events.some(({ event }) => event === "svid.minted_jwt"));
  assert.ok(!JSON.stringify(srv.events).includes(svid?.token ?? ""));
  // Longer than the key lives: as long as the key lives.
  const long = await local.mintJWTSVID({ id, audience: [AUDIENCE], ttl: 2 ** 31 - 1 });
  assert.ok(Number(long.svid?.expiresAt) * 1000 <= Date.now() + 7 * DAY);
  for (const request of [
    { audience: [AUDIENCE] },
    { id, audience: [] },
    { id, audience: [AUDIENCE], ttl: -1 },
    { id: { trustDomain: TD, path: "" }, audience: [AUDIENCE] },
    { id: { trustDomain: TD, path: "/spire/server" }, audience: [AUDIENCE] },
    { id: { trustDomain: "other.example", path: "/w" }, audience: [AUDIENCE] },
    { id: { trustDomain: TD, path: "w" }, audience: [AUDIENCE] },
    { id: { trustDomain: TD, path: "/../w" }, audience: [AUDIENCE] },
  ]) {
    const failure = await failureOf(local.mintJWTSVID(request));
    assert.equal(failure.status, "invalid_argument", JSON.stringify(request));
  }
  const agent = await failureOf(
    srv.remote(SVID, await srv.join()).mintJWTSVID({ id, audience: [AUDIENCE] }),
  );
  assert.deepEqual([agent.status, agent.code], ["permission_denied", "ADMIN_REQUIRED"]);
});

test("an administrator mints certificates for a CSR with one workload's name", async () => {
  await using srv = await openTestServer();
  const local = srv.local(SVID);
  const key = generateKey("ec-p256");
  const csr = (uris: readonly string[], dnsNames: readonly string[] = []): Uint8Array =>
    createCsr(keySigner(key.privateKey), { uris, dnsNames });
  const own = `spiffe://${TD}/w`;
  const { svid } = await local.mintX509SVID({ csr: csr([own], ["a.example"]), ttl: 60 });
  const chain = (svid?.certChain ?? []).map((der) => parseCertificate(der));
  const [leaf] = chain;
  assert.deepEqual([leaf?.uris, leaf?.dnsNames], [[own], ["a.example"]]);
  assert.deepEqual(leaf?.spki, key.spki);
  assert.ok((leaf?.notAfter ?? 0) <= Date.now() + 60_000);
  verifyPath(chain, srv.server.bundle().authorities, { now: Date.now() });
  for (const request of [
    new Uint8Array(),
    csr([]),
    csr([own, `${own}2`]),
    csr([`spiffe://${TD}`]),
    csr([`spiffe://${TD}/spire/server`]),
    csr(["spiffe://other.example/w"]),
    csr(["https://example.org/w"]),
    csr([own], ["*.a.example", "b.a.example"]),
    csr([own], ["a..example"]),
  ]) {
    const failure = await failureOf(local.mintX509SVID({ csr: request }));
    assert.equal(failure.status, "invalid_argument");
  }
  const agent = await failureOf(
    srv.remote(SVID, await srv.join()).mintX509SVID({ csr: csr([own]) }),
  );
  assert.equal(agent.code, "ADMIN_REQUIRED");
});

test("a node whose users take all the tokens there are still gets certificates", async () => {
  const signRate = { perSecond: 0.001, burst: 2 };
  await using srv = await openTestServer({ options: { signRate } });
  const node = await srv.join();
  const entryId = await entryOf(srv, node);
  const svids = srv.remote(SVID, node);
  const take = (): Promise<unknown> => svids.newJWTSVID({ entryId, audience: ["x"] });
  await take();
  await take();
  assert.equal((await failureOf(take())).code, "OVERLOADED");
  const csr = createCsr(keySigner(generateKey("ec-p256").privateKey));
  const { results } = await svids.batchNewX509SVID({ params: [{ entryId, csr }] });
  assert.equal(results[0]?.status?.code, 0);
});
