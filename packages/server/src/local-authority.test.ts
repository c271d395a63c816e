import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@bonafide/lifetime/testing";
import { createCsr, generateKey, keySigner, parseCertificate, verifyPath } from "@bonafide/pki";
import { Authorities, AuthorityStanding } from "@bonafide/proto/bonafide/admin/v1/authorities_pb";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import type { Client } from "@bonafide/rpc";
import { authorityIdOf } from "./authority/sign-svid.ts";
import { collect, failureOf, openTestServer, TD, type TestServer } from "./testing/test-server.ts";

const open = (): Promise<TestServer> => openTestServer({ options: { forcedSpreadMs: 0 } });

/** Prepares and activates; the id of the one that signs now. */
async function rotate(calls: Client<typeof LocalAuthority>): Promise<string> {
  const { preparedAuthority } = await calls.prepareX509Authority({});
  const authorityId = preparedAuthority?.authorityId ?? "";
  const { activatedAuthority } = await calls.activateX509Authority({ authorityId });
  assert.equal(activatedAuthority?.authorityId, authorityId);
  return authorityId;
}

interface Published {
  readonly sequence: bigint;
  /** By id, whether it is tainted. */
  readonly x509: ReadonlyMap<string, boolean>;
  readonly jwt: ReadonlyMap<string, boolean>;
  readonly roots: readonly Uint8Array[];
}

async function published(server: TestServer): Promise<Published> {
  const bundle = await server.local(Bundle).getBundle({});
  const roots = bundle.x509Authorities.map(({ asn1 }) => asn1);
  return {
    sequence: bundle.sequenceNumber,
    roots,
    x509: new Map(
      bundle.x509Authorities.map(({ asn1, tainted }) => [
        authorityIdOf(parseCertificate(asn1)),
        tainted,
      ]),
    ),
    jwt: new Map(bundle.jwtAuthorities.map(({ keyId, tainted }) => [keyId, tainted])),
  };
}

/** Two authorities of one second are ordered by their ids. */
function same(found: ReadonlyMap<string, boolean>, wanted: [string, boolean][]): void {
  assert.deepEqual(found, new Map(wanted));
}

/** Status and code of a failure. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  const { status, code } = await failureOf(call);
  return `${status} ${code}`;
}

async function mint(svids: Client<typeof SVID>): Promise<Uint8Array[]> {
  const csr = createCsr(keySigner(generateKey("ec-p256").privateKey), {
    uris: [`spiffe://${TD}/w`],
  });
  const { svid } = await svids.mintX509SVID({ csr });
  return svid?.certChain ?? [];
}

function issuerOf(chain: readonly Uint8Array[], { roots }: Published): string {
  const path = verifyPath(chain.map(parseCertificate), roots.map(parseCertificate), {
    now: Date.now(),
  }).path;
  const root = path.at(-1);
  assert.ok(root);
  return authorityIdOf(root);
}

test("a forced rotation: published first, then signing, then tainted, then gone, each a leaf with its caller", async () => {
  await using server = await open();
  const calls = server.local(LocalAuthority);
  const svids = server.local(SVID);
  const first = await calls.getX509AuthorityState({});
  const old = first.active?.authorityId ?? "";
  assert.equal(first.prepared, undefined);
  assert.equal(first.old, undefined);
  const before = await published(server);

  const { preparedAuthority } = await calls.prepareX509Authority({});
  const next = preparedAuthority?.authorityId ?? "";
  const prepared = await published(server);
  same(prepared.x509, [
    [old, false],
    [next, false],
  ]);
  assert.ok(prepared.sequence > before.sequence);
  assert.equal(issuerOf(await mint(svids), prepared), old);

  await calls.activateX509Authority({ authorityId: next });
  assert.equal(issuerOf(await mint(svids), prepared), next);
  const rotated = await calls.getX509AuthorityState({});
  assert.equal(rotated.active?.authorityId, next);
  assert.equal(rotated.old?.authorityId, old);
  assert.equal(rotated.active.upstreamAuthoritySubjectKeyId, "");
  assert.ok(rotated.active.expiresAt > BigInt(Math.floor(Date.now() / 1000)));

  await calls.taintX509Authority({ authorityId: old });
  const tainted = await published(server);
  same(tainted.x509, [
    [old, true],
    [next, false],
  ]);
  assert.ok(tainted.sequence > prepared.sequence);

  await calls.revokeX509Authority({ authorityId: old });
  const revoked = await published(server);
  same(revoked.x509, [[next, false]]);
  assert.ok(revoked.sequence > tainted.sequence);

  const leaves = await collect(server.local(Ledger).log({}));
  const text = JSON.stringify(leaves, (_key, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  for (const cause of ["prepared", "activated", "tainted", "revoked"]) {
    assert.match(text, new RegExp(`authority\\.${cause}`));
  }
  assert.match(text, /admin\.sock/);
});

test("a repeated taint or revocation, as after a lost answer, changes nothing more", async () => {
  await using server = await open();
  const calls = server.local(LocalAuthority);
  const { active } = await calls.getX509AuthorityState({});
  const authorityId = active?.authorityId ?? "";
  await rotate(calls);
  await calls.taintX509Authority({ authorityId });
  const { sequence } = await published(server);
  await calls.taintX509Authority({ authorityId });
  assert.equal((await published(server)).sequence, sequence);
  await calls.revokeX509Authority({ authorityId });
  await calls.revokeX509Authority({ authorityId });
});

test("what the state of an authority does not allow is refused, each with its code", async () => {
  await using server = await open();
  const calls = server.local(LocalAuthority);
  const { active } = await calls.getX509AuthorityState({});
  const old = { authorityId: active?.authorityId ?? "" };
  const unknown = { authorityId: "00" };
  assert.equal(
    await codeOf(calls.activateX509Authority(unknown)),
    "failed_precondition AUTHORITY_NOT_PREPARED",
  );
  for (const call of [
    calls.taintX509Authority.bind(calls),
    calls.revokeX509Authority.bind(calls),
  ] as const) {
    assert.equal(await codeOf(call({ authorityId: "" })), "invalid_argument REQUEST_INVALID");
    assert.equal(await codeOf(call(unknown)), "not_found AUTHORITY_NOT_FOUND");
    assert.equal(await codeOf(call(old)), "invalid_argument AUTHORITY_STATE_WRONG");
  }
  const { preparedAuthority } = await calls.prepareX509Authority({});
  const next = { authorityId: preparedAuthority?.authorityId ?? "" };
  const wrong = "invalid_argument AUTHORITY_STATE_WRONG";
  assert.equal(await codeOf(calls.activateX509Authority(old)), wrong);
  assert.equal(await codeOf(calls.activateX509Authority(unknown)), "not_found AUTHORITY_NOT_FOUND");
  assert.equal(await codeOf(calls.taintX509Authority(next)), wrong);
  assert.equal(await codeOf(calls.revokeX509Authority(next)), wrong);
  await calls.activateX509Authority(next);
  assert.equal(
    await codeOf(calls.revokeX509Authority(old)),
    "failed_precondition AUTHORITY_NOT_TAINTED",
  );
  // WIT authorities are no part of this server, nor of SPIRE's so far.
  assert.equal((await failureOf(calls.prepareWITAuthority({}))).status, "unimplemented");
});

test("old authorities keep slots of their own: the oldest can still be tainted; their number is bounded", async () => {
  await using server = await open();
  const calls = server.local(LocalAuthority);
  const { active } = await calls.getX509AuthorityState({});
  const ids = [active?.authorityId ?? ""];
  for (let i = 0; i < 16; i++) ids.push(await rotate(calls));
  assert.deepEqual([...(await published(server)).x509.keys()].toSorted(), ids.toSorted());
  const { status, code } = await failureOf(calls.prepareX509Authority({}));
  assert.deepEqual([status, code], ["failed_precondition", "AUTHORITIES_FULL"]);
  const [oldest = ""] = ids;
  await calls.taintX509Authority({ authorityId: oldest });
  assert.equal((await published(server)).x509.get(oldest), true);
  await calls.revokeX509Authority({ authorityId: oldest });
  await calls.prepareX509Authority({});
  const { authorities } = await server.local(Authorities).listAuthorities({});
  const standings = authorities.map(({ standing }) => standing);
  assert.equal(standings[0], AuthorityStanding.PREPARED);
  assert.equal(standings[1], AuthorityStanding.ACTIVE);
  assert.equal(standings.filter((one) => one === AuthorityStanding.OLD).length, 15);
  assert.equal(standings.filter((one) => one === AuthorityStanding.REVOKED).length, 1);
  assert.ok(authorities.every(({ isOwn }) => isOwn));
});

test("preparing again replaces what was prepared: it never signed, and nobody hears of it again", async () => {
  await using server = await open();
  const calls = server.local(LocalAuthority);
  const first = (await calls.prepareX509Authority({})).preparedAuthority?.authorityId ?? "";
  const second = (await calls.prepareX509Authority({})).preparedAuthority?.authorityId ?? "";
  const { x509 } = await published(server);
  assert.equal(x509.size, 2);
  assert.ok(x509.has(second) && !x509.has(first));
  const { code } = await failureOf(calls.activateX509Authority({ authorityId: first }));
  assert.equal(code, "AUTHORITY_NOT_FOUND");
  await calls.activateX509Authority({ authorityId: second });
  await server.restart();
  const { active } = await server.local(LocalAuthority).getX509AuthorityState({});
  assert.equal(active?.authorityId, second);
});

test("keys for JWT-SVIDs go the same way", async () => {
  await using server = await open();
  const calls = server.local(LocalAuthority);
  const old = (await calls.getJWTAuthorityState({})).active?.authorityId ?? "";
  const next = (await calls.prepareJWTAuthority({})).preparedAuthority?.authorityId ?? "";
  same((await published(server)).jwt, [
    [old, false],
    [next, false],
  ]);
  const token = async (): Promise<string> => {
    const id = { trustDomain: TD, path: "/w" };
    const { svid } = await server.local(SVID).mintJWTSVID({ id, audience: ["a"] });
    const header = Buffer.from(svid?.token.split(".")[0] ?? "", "base64url").toString();
    const { kid }: { kid?: string } = JSON.parse(header);
    return kid ?? "";
  };
  assert.equal(await token(), old);
  await calls.activateJWTAuthority({ authorityId: next });
  assert.equal(await token(), next);
  await calls.taintJWTAuthority({ authorityId: old });
  same((await published(server)).jwt, [
    [old, true],
    [next, false],
  ]);
  await calls.revokeJWTAuthority({ authorityId: old });
  same((await published(server)).jwt, [[next, false]]);
});

test("only administrators rotate: an agent is refused before its request is looked at", async () => {
  await using server = await open();
  const agent = await server.join();
  for (const caller of [server.remote(LocalAuthority, agent), server.remote(LocalAuthority)]) {
    for (const call of [
      caller.getX509AuthorityState({}),
      caller.prepareX509Authority({}),
      caller.activateJWTAuthority({ authorityId: "x" }),
      caller.revokeX509Authority({ authorityId: "x" }),
    ]) {
      assert.equal((await failureOf(call)).code, "ADMIN_REQUIRED");
    }
  }
});

test("nothing fails to be signed while another authority takes over", async () => {
  await using server = await open();
  const calls = server.local(LocalAuthority);
  const svids = server.local(SVID);
  const ended = new AbortController();
  let minted = 0;
  const minting = (async () => {
    while (!ended.signal.aborted) {
      await mint(svids);
      minted++;
    }
  })();
  for (let i = 0; i < 5; i++) await rotate(calls);
  ended.abort();
  await minting;
  assert.ok(minted > 0);
});

test("an activation by force waits until the authority was published for its time", async () => {
  const clock = new ManualClock(Date.now());
  await using server = await openTestServer({ clock, isBlind: true });
  const calls = server.local(LocalAuthority);
  const { preparedAuthority } = await calls.prepareX509Authority({});
  const authorityId = preparedAuthority?.authorityId ?? "";
  const activated = calls.activateX509Authority({ authorityId });
  const active = async (): Promise<string | undefined> =>
    (await calls.getX509AuthorityState({})).active?.authorityId;
  await clock.advance(9000);
  assert.notEqual(await active(), authorityId);
  while ((await active()) !== authorityId) await clock.advance(1000);
  assert.equal((await activated).activatedAuthority?.authorityId, authorityId);
});
