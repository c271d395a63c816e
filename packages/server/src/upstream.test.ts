import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { ManualClock } from "@bonafide/lifetime/testing";
import {
  type Certificate,
  createCsr,
  generateKey,
  keySigner,
  parseCertificate,
  verifyPath,
} from "@bonafide/pki";
import { openMemoryUpstream } from "@bonafide/plugin-api/testing";
import {
  Authorities,
  AuthorityStanding as Standing,
  AuthorityUse as Use,
} from "@bonafide/proto/bonafide/admin/v1/authorities_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import type { Client } from "@bonafide/rpc";
import { authorityIdOf } from "./authority/sign-svid.ts";
import {
  csrOf,
  failureOf,
  openTestServer,
  TD,
  type TestServer,
  type TestSvid,
} from "./testing/test-server.ts";

const HOUR_MS = 3_600_000;
const options = { forcedSpreadMs: 0 };

async function mintAt(svids: Client<typeof SVID>): Promise<readonly Certificate[]> {
  const signer = keySigner(generateKey("ec-p256").privateKey);
  const csr = createCsr(signer, { uris: [`spiffe://${TD}/w`] });
  return ((await svids.mintX509SVID({ csr })).svid?.certChain ?? []).map(parseCertificate);
}

async function bundleOf(server: TestServer): Promise<{
  readonly roots: readonly Certificate[];
  readonly tainted: readonly string[];
  readonly keys: readonly string[];
}> {
  const bundle = await server.local(Bundle).getBundle({});
  return {
    roots: bundle.x509Authorities.map(({ asn1 }) => parseCertificate(asn1)),
    tainted: bundle.x509Authorities.filter(({ tainted }) => tainted).map(({ asn1 }) => idOf(asn1)),
    keys: bundle.jwtAuthorities.map(({ keyId }) => keyId),
  };
}

function idOf(der: Uint8Array): string {
  return authorityIdOf(parseCertificate(der));
}

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  return (await failureOf(call)).code;
}

function keyOf(keyId: string): { readonly keyId: string; readonly publicKey: Uint8Array } {
  return { keyId, publicKey: generateKey("ec-p256").spki };
}

/** The root that a chain leads to. */
function rootOf(chain: readonly Certificate[], roots: readonly Certificate[], now: number): string {
  const root = verifyPath(chain, roots, { now }).path.at(-1);
  assert.ok(root);
  return authorityIdOf(root);
}

async function kidOf(server: TestServer): Promise<string> {
  const id = { trustDomain: TD, path: "/w" };
  const { svid } = await server.local(SVID).mintJWTSVID({ id, audience: ["a"] });
  const header: unknown = JSON.parse(
    Buffer.from(svid?.token.split(".")[0] ?? "", "base64url").toString(),
  );
  assert.ok(typeof header === "object" && header !== null && "kid" in header);
  return String(header.kid);
}

test("below an upstream, chains carry what is between leaf and root, and the bundle is the upstream's", async () => {
  const now = Date.now();
  await using upstream = openMemoryUpstream(TD, () => now);
  await using server = await openTestServer({ upstream, options });
  const chain = await mintAt(server.local(SVID));
  assert.equal(chain.length, 2);
  const { roots, keys } = await bundleOf(server);
  assert.deepEqual(
    roots.map(({ der }) => der),
    [upstream.root],
  );
  assert.equal(rootOf(chain, roots, now), idOf(upstream.root));
  const { active } = await server.local(LocalAuthority).getX509AuthorityState({});
  assert.equal(active?.upstreamAuthoritySubjectKeyId, idOf(upstream.root));
  // Its own key is published above before it signs.
  const published = (await upstream.bundle()).jwtKeys.map(({ keyId }) => keyId);
  assert.deepEqual(keys, published);
  assert.equal(await kidOf(server), published[0]);
  // An agent joins over it, which verifies the server's own chain.
  const agent = await server.join();
  assert.equal(agent.chain.length, 2);
});

test("a root that the upstream taints is left for the next, and goes when the upstream revokes it", async () => {
  const clock = new ManualClock(Date.now());
  await using upstream = openMemoryUpstream(TD, () => clock.now());
  await using server = await openTestServer({ upstream, options, clock, isBlind: true });
  const svids = server.local(SVID);
  const old = upstream.root;
  const next = upstream.rotate();
  await turns(clock, async () => (await bundleOf(server)).roots.length === 2);
  assert.equal(rootOf(await mintAt(svids), (await bundleOf(server)).roots, clock.now()), idOf(old));
  upstream.taint(old);
  await turns(clock, async () => {
    const { roots, tainted } = await bundleOf(server);
    const isMoved = rootOf(await mintAt(svids), roots, clock.now()) === idOf(next);
    return isMoved && tainted.includes(idOf(old));
  });
  upstream.revoke(old);
  await turns(clock, async () => (await bundleOf(server)).roots.length === 1);
  assert.equal(
    rootOf(await mintAt(svids), (await bundleOf(server)).roots, clock.now()),
    idOf(next),
  );
});

test("a JWT key that the upstream revokes signs no more: the next one is published above first", async () => {
  const clock = new ManualClock(Date.now());
  await using upstream = openMemoryUpstream(TD, () => clock.now());
  await using server = await openTestServer({ upstream, options, clock, isBlind: true });
  const old = await kidOf(server);
  upstream.revokeJwtKey(old);
  await turns(clock, async () => {
    const { authorities } = await server.local(Authorities).listAuthorities({ use: Use.JWT });
    return authorities.some(({ id, standing }) => id !== old && standing === Standing.ACTIVE);
  });
  assert.equal((await bundleOf(server)).keys.includes(old), false);
  const [key] = (await upstream.bundle()).jwtKeys;
  assert.equal(await kidOf(server), key?.keyId);
});

test("an upstream that is away at the start is waited for; one that goes later is missed by nobody", async () => {
  const clock = new ManualClock(Date.now());
  await using upstream = openMemoryUpstream(TD, () => clock.now());
  upstream.isAway = true;
  await using server = await openTestServer({ upstream, options, clock, isBlind: true });
  assert.equal(server.server.port, 0);
  assert.ok(server.events.some(({ event }) => event === "authority.rotation_failed"));
  upstream.isAway = false;
  await turns(clock, () => Promise.resolve(server.server.port !== 0));
  upstream.isAway = true;
  await clock.advance(HOUR_MS);
  assert.equal((await mintAt(server.local(SVID))).length, 2);
  assert.ok(server.events.some(({ event }) => event === "upstream.not_followed"));
});

test("with an upstream its roots are tainted, without one our own: each call says so", async () => {
  const now = Date.now();
  await using upstream = openMemoryUpstream(TD, () => now);
  await using server = await openTestServer({ upstream, options });
  const calls = server.local(LocalAuthority);
  const authorityId = (await calls.getX509AuthorityState({})).active?.authorityId ?? "";
  const root = { subjectKeyId: idOf(upstream.root) };
  assert.equal(
    await codeOf(calls.taintX509Authority({ authorityId })),
    "AUTHORITY_UPSTREAM_MISMATCH",
  );
  assert.equal(await codeOf(calls.taintX509UpstreamAuthority(root)), "AUTHORITY_STATE_WRONG");
  assert.equal(
    await codeOf(calls.taintX509UpstreamAuthority({ subjectKeyId: "00" })),
    "AUTHORITY_NOT_FOUND",
  );
  upstream.rotate();
  const { preparedAuthority } = await calls.prepareX509Authority({});
  await calls.activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? "" });
  assert.equal(await codeOf(calls.revokeX509UpstreamAuthority(root)), "AUTHORITY_NOT_TAINTED");
  const upper = { subjectKeyId: root.subjectKeyId.toUpperCase() };
  const tainted = await calls.taintX509UpstreamAuthority(upper);
  assert.equal(tainted.upstreamAuthoritySubjectKeyId, root.subjectKeyId);
  assert.deepEqual((await bundleOf(server)).tainted, [root.subjectKeyId]);
  await calls.revokeX509UpstreamAuthority(root);
  assert.equal((await bundleOf(server)).roots.length, 1);
  await using plain = await openTestServer({ options });
  const refused = plain.local(LocalAuthority).taintX509UpstreamAuthority(root);
  assert.equal(await codeOf(refused), "AUTHORITY_UPSTREAM_MISMATCH");
});

test("what an upstream signs for another key is refused, and nothing signs by it", async () => {
  const now = Date.now();
  await using upstream = openMemoryUpstream(TD, () => now);
  const other = createCsr(keySigner(generateKey("ec-p256").privateKey));
  const mint = upstream.mint.bind(upstream);
  upstream.mint = (request) => mint({ ...request, csr: other });
  await using server = await openTestServer({ upstream, options });
  assert.equal(server.server.port, 0);
  const codes = server.events.map(({ error }) =>
    isBonafideError(error, "UPSTREAM_AUTHORITY_INVALID"),
  );
  assert.ok(codes.includes(true));
});

test("an answer of the upstream from before takes nothing back that came after it was asked for", async () => {
  const clock = new ManualClock(Date.now());
  await using upstream = openMemoryUpstream(TD, () => clock.now());
  await using server = await openTestServer({ upstream, options, clock, isBlind: true });
  const answer = upstream.bundle.bind(upstream);
  const gate = Promise.withResolvers<undefined>();
  let asked = 0;
  upstream.bundle = async (given) => {
    const told = await answer(given);
    if (++asked === 1) await gate.promise;
    return told;
  };
  await turns(clock, () => Promise.resolve(asked === 1));
  await clock.advance(1);
  const calls = server.local(LocalAuthority);
  const key = (await calls.prepareJWTAuthority({})).preparedAuthority?.authorityId ?? "";
  await calls.activateJWTAuthority({ authorityId: key });
  const next = idOf(upstream.rotate());
  await calls.prepareX509Authority({});
  gate.resolve(undefined);
  await turns(clock, () => Promise.resolve(asked > 2));
  const { roots, keys } = await bundleOf(server);
  assert.ok(roots.some((root) => authorityIdOf(root) === next));
  assert.ok(keys.includes(key));
  assert.equal(await kidOf(server), key);
});

test("a key of another server below the upstream that cannot be used keeps nobody from following it", async () => {
  const clock = new ManualClock(Date.now());
  await using upstream = openMemoryUpstream(TD, () => clock.now());
  await using server = await openTestServer({ upstream, options, clock, isBlind: true });
  const odd = { expiresAt: 0, tainted: false };
  await upstream.publishJwtKey({ ...keyOf("\u001b[2J"), ...odd });
  await upstream.publishJwtKey({ keyId: "odd", publicKey: Uint8Array.of(1), ...odd });
  await upstream.publishJwtKey({ ...keyOf("sound"), ...odd });
  await turns(clock, async () => (await bundleOf(server)).keys.includes("sound"));
  assert.equal((await bundleOf(server)).keys.length, 2);
  const calls = server.local(LocalAuthority);
  const authorityId = (await calls.prepareJWTAuthority({})).preparedAuthority?.authorityId ?? "";
  await calls.activateJWTAuthority({ authorityId });
  assert.equal(await kidOf(server), authorityId);
  const told = server.events.filter(({ event }) => event === "upstream.keys_left_out");
  assert.equal(told.length, 1);
});

test("an upstream that was set back is not followed, and the log says so once", async () => {
  const clock = new ManualClock(Date.now());
  await using upstream = openMemoryUpstream(TD, () => clock.now());
  await using server = await openTestServer({ upstream, options, clock, isBlind: true });
  const answer = upstream.bundle.bind(upstream);
  let asked = 0;
  upstream.bundle = async (given) => {
    asked++;
    return { ...(await answer(given)), sequenceNumber: asked === 1 ? 1000n : 1n };
  };
  await turns(clock, () => Promise.resolve(asked > 3));
  const told = server.events.filter(({ event }) => event === "upstream.behind");
  assert.deepEqual(
    told.map(({ fields }) => fields),
    [{ seen: "1000", answered: "1" }],
  );
});

/** A server with a member that has a downstream entry, and one that has none. */
async function withDownstream(server: TestServer): Promise<{
  readonly nested: TestSvid;
  readonly plain: TestSvid;
}> {
  const agent = await server.join();
  const parentId = { trustDomain: TD, path: agent.id.slice(`spiffe://${TD}`.length) };
  const selectors = [{ type: "unix", value: "uid:0" }];
  const svidOf = async (path: string, downstream: boolean): Promise<TestSvid> => {
    const spiffeId = { trustDomain: TD, path };
    const { results } = await server
      .local(Entry)
      .batchCreateEntry({ entries: [{ spiffeId, parentId, selectors, downstream }] });
    const key = generateKey("ec-p256");
    const signed = await server.remote(SVID, agent).batchNewX509SVID({
      params: [{ entryId: results[0]?.entry?.id ?? "", csr: csrOf(key) }],
    });
    const chain = signed.results[0]?.svid?.certChain ?? [];
    return { id: `spiffe://${TD}${path}`, chain, privateKey: key.privateKey };
  };
  return { nested: await svidOf("/nested", true), plain: await svidOf("/plain", false) };
}

test("a downstream server gets an authority for its key, bounded by ours, and nobody else does", async () => {
  await using server = await openTestServer({ options });
  const { nested, plain } = await withDownstream(server);
  const key = generateKey("ec-p256");
  const calls = server.remote(SVID, nested);
  const { caCertChain, x509Authorities } = await calls.newDownstreamX509CA({
    csr: csrOf(key),
    preferredTtl: 3600,
  });
  const [own] = caCertChain.map(parseCertificate);
  assert.ok(own);
  assert.deepEqual(own.spki, key.spki);
  assert.deepEqual(own.uris, [`spiffe://${TD}`]);
  assert.equal(own.pathLength, undefined);
  assert.ok(own.notAfter <= Date.now() + HOUR_MS);
  const roots = x509Authorities.map(parseCertificate);
  verifyPath([own], roots, { now: Date.now(), subjectKind: "authority" });
  const request = { csr: csrOf(key), preferredTtl: 2_000_000_000 };
  const long = (await calls.newDownstreamX509CA(request)).caCertChain.map(parseCertificate)[0];
  assert.ok((long?.notAfter ?? Infinity) <= (roots[0]?.notAfter ?? 0));
  assert.equal(await codeOf(calls.newDownstreamX509CA({ csr: Uint8Array.of(1) })), "CSR_INVALID");
  assert.equal(
    await codeOf(calls.newDownstreamX509CA({ csr: csrOf(key), preferredTtl: -1 })),
    "REQUEST_INVALID",
  );
  for (const caller of [server.remote(SVID, plain), server.remote(SVID), server.local(SVID)]) {
    const refused = caller.newDownstreamX509CA({ csr: csrOf(key) });
    assert.equal(await codeOf(refused), "DOWNSTREAM_REQUIRED");
  }
});

test("a downstream server publishes its JWT keys: once each, none of another's, and not without end", async () => {
  await using server = await openTestServer({ options });
  const { nested, plain } = await withDownstream(server);
  const calls = server.remote(Bundle, nested);
  const own = (await server.local(Bundle).getBundle({})).jwtAuthorities[0];
  const expiresAt = BigInt(Math.floor(Date.now() / 1000) + 3600);
  const jwtAuthority = { ...keyOf("k0"), expiresAt };
  const { jwtAuthorities } = await calls.publishJWTAuthority({ jwtAuthority });
  assert.deepEqual(
    jwtAuthorities.map(({ keyId }) => keyId).toSorted(),
    [own?.keyId ?? "", "k0"].toSorted(),
  );
  assert.equal(jwtAuthorities.find(({ keyId }) => keyId === "k0")?.expiresAt, expiresAt);
  await calls.publishJWTAuthority({ jwtAuthority });
  const refusalOf = (key: object): Promise<string | undefined> =>
    codeOf(calls.publishJWTAuthority({ jwtAuthority: key }));
  assert.equal(await refusalOf({ ...jwtAuthority, ...keyOf("k0") }), "REQUEST_INVALID");
  assert.equal(await refusalOf(keyOf(own?.keyId ?? "")), "REQUEST_INVALID");
  assert.equal(await refusalOf(keyOf("")), "REQUEST_INVALID");
  assert.equal(await refusalOf(keyOf("k1\nk2")), "REQUEST_INVALID");
  assert.equal(await refusalOf({ ...jwtAuthority, keyId: "twice" }), "REQUEST_INVALID");
  assert.equal(await refusalOf({ keyId: "x", publicKey: Uint8Array.of(1) }), "REQUEST_INVALID");
  assert.equal(await refusalOf({ ...keyOf("x"), expiresAt: 1n }), "REQUEST_INVALID");
  assert.equal(await refusalOf({ ...keyOf("x"), tainted: true }), "REQUEST_INVALID");
  const refused = server.remote(Bundle, plain).publishJWTAuthority({ jwtAuthority });
  assert.equal((await failureOf(refused)).code, "DOWNSTREAM_REQUIRED");
  // Without an end: published, and shown so.
  const lasting = await calls.publishJWTAuthority({ jwtAuthority: keyOf("lasting") });
  assert.equal(lasting.jwtAuthorities.find(({ keyId }) => keyId === "lasting")?.expiresAt, 0n);
  for (let i = 2; i < 16; i++) await calls.publishJWTAuthority({ jwtAuthority: keyOf(`k${i}`) });
  assert.equal(await refusalOf(keyOf("one-too-many")), "AUTHORITIES_FULL");
  // What was revoked does not come back.
  const authority = server.local(LocalAuthority);
  await authority.taintJWTAuthority({ authorityId: "k0" });
  await authority.revokeJWTAuthority({ authorityId: "k0" });
  assert.equal(await refusalOf(jwtAuthority), "AUTHORITY_STATE_WRONG");
  assert.equal(await refusalOf({ ...jwtAuthority, keyId: "again" }), "REQUEST_INVALID");
});

test("a key that a server in the middle is given reaches its upstream, and comes down with the others", async () => {
  const now = Date.now();
  await using upstream = openMemoryUpstream(TD, () => now);
  await using server = await openTestServer({ upstream, options });
  const { nested } = await withDownstream(server);
  const jwtAuthority = { keyId: "below", publicKey: generateKey("ec-p256").spki };
  await server.remote(Bundle, nested).publishJWTAuthority({ jwtAuthority });
  const above = (await upstream.bundle()).jwtKeys.map(({ keyId }) => keyId);
  assert.ok(above.includes("below"));
  assert.deepEqual((await bundleOf(server)).keys.toSorted(), above.toSorted());
  const { caCertChain } = await server
    .remote(SVID, nested)
    .newDownstreamX509CA({ csr: csrOf(generateKey("ec-p256")) });
  assert.equal(caCertChain.length, 2);
});

/** Lets time pass until something holds. */
async function turns(clock: ManualClock, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await clock.advance(1000);
}
