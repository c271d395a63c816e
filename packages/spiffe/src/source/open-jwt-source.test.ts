import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { ManualClock } from "@bonafide/lifetime/testing";
import { generateKey, jwsSigner, keySigner, publicKeyOf } from "@bonafide/pki";
import { type JwtBundle, jwtBundleOf } from "../bundle/jwt-bundle.ts";
import { parseTrustDomain } from "../id/parse-trust-domain.ts";
import { parseSpiffeId } from "../id/spiffe-id.ts";
import { signJwtSvid } from "../jwt/sign-jwt-svid.ts";
import { FakeWorkloadApi } from "../testing/fake-workload-api.ts";
import { openWorkloadApi } from "../workload-api/workload-api-client.ts";
import type { JwtSource } from "./jwt-source.ts";
import { type JwtSourceOptions, openJwtSource } from "./open-jwt-source.ts";

const WEB = parseSpiffeId("spiffe://example.org/web");
const ADMIN = parseSpiffeId("spiffe://example.org/admin");
const AUDIENCE = "spiffe://example.org/db";
const td = parseTrustDomain("example.org");
const signer = jwsSigner(keySigner(generateKey("ec-p256").privateKey));
const bundle = jwtBundleOf(td, [{ keyId: "k", publicKey: publicKeyOf(signer) }]);

let signatures = 0;
/** A token that is like no other. */
function sign(audience: readonly string[], id = WEB): string {
  const now = Date.now();
  const times = { issuedAt: now, expiresAt: now + 300_000, tokenId: `${++signatures}` };
  return signJwtSvid(signer, "k", { id, audience, ...times });
}

suite("a source of JWT-SVIDs over the Workload API", () => {
  test("WLA-19, WLA-20 (Workload API §5.2, §6.2): PERMISSION_DENIED unloads keys and tokens, and the source asks again after a pause", async () => {
    await using fake = await FakeWorkloadApi.open();
    const { source, clock, problems } = await opened(fake);
    await using _ = source;
    const first = await source.fetch(AUDIENCE);
    assert.equal(await source.fetch(AUDIENCE), first);
    assert.equal(source.verify(first.token, { audience: AUDIENCE }).id, WEB);
    fake.fail("permission_denied");
    await until(() => source.bundles().size === 0);
    assert.deepEqual(problems, ["NO_IDENTITY_ISSUED"]);
    assert.throws(
      () => source.verify(first.token, { audience: AUDIENCE }),
      coded("BUNDLE_NOT_FOUND"),
    );
    await assert.rejects(source.fetch(AUDIENCE), coded("RPC_PERMISSION_DENIED"));
    await until(() => clock.sleepers === 1);
    const calls = fake.calls.length;
    fake.giveJwt({ bundles: [bundle], sign });
    await clock.advance(400);
    assert.equal(fake.calls.length, calls);
    await clock.advance(600);
    await until(() => source.bundles().size === 1);
    assert.notEqual((await source.fetch(AUDIENCE)).token, first.token);
  });

  test("WLA-19 (Workload API §5.2): a token from before is not given after the identity came back", async () => {
    await using fake = await FakeWorkloadApi.open();
    const { source, clock } = await opened(fake);
    await using _ = source;
    const before = await source.fetch(AUDIENCE);
    fake.fail("permission_denied");
    await until(() => clock.sleepers === 1);
    fake.giveJwt({ bundles: [bundle], sign: (audience) => sign(audience, ADMIN) });
    await clock.advance(30_000);
    await until(() => source.bundles().size === 1);
    const after = await source.fetch(AUDIENCE);
    assert.deepEqual([before.id, after.id], [WEB, ADMIN]);
  });

  test("WLA-19 (Workload API §5.2): a refusal of one token drops those for other audiences", async () => {
    await using fake = await FakeWorkloadApi.open();
    const { source } = await opened(fake);
    await using _ = source;
    const first = await source.fetch(AUDIENCE);
    const table = { NOT_FOR_YOU: { status: "permission_denied", retry: false } } as const;
    const deny = (): string => {
      throw new BonafideError(table, "NOT_FOR_YOU", "not for you");
    };
    fake.giveJwt({ bundles: [bundle], sign: deny });
    assert.equal(await source.fetch(AUDIENCE), first);
    await assert.rejects(source.fetch("another"), (error) => {
      return isBonafideError(error) && error.status === "permission_denied";
    });
    fake.giveJwt({ bundles: [bundle], sign });
    assert.notEqual((await source.fetch(AUDIENCE)).token, first.token);
  });

  test("WLE-15 (Workload Endpoint §6): UNAVAILABLE leaves keys and tokens as they are", async () => {
    await using fake = await FakeWorkloadApi.open();
    const { source, clock, problems } = await opened(fake);
    await using _ = source;
    const first = await source.fetch(AUDIENCE);
    fake.fail("unavailable");
    await until(() => clock.sleepers === 1);
    assert.deepEqual(problems, ["RPC_UNAVAILABLE"]);
    assert.equal(await source.fetch(AUDIENCE), first);
    assert.equal(source.verify(first.token, { audience: AUDIENCE }).id, WEB);
  });

  test("WLA-07, WLA-08, WLA-11 (Workload API §4.4, §4.5): what a later message does not hold is unloaded, and one that cannot be used is discarded", async () => {
    await using fake = await FakeWorkloadApi.open();
    const { source, problems } = await opened(fake);
    await using _ = source;
    const foreign: JwtBundle = jwtBundleOf(parseTrustDomain("other.example"), []);
    fake.giveJwt({ bundles: [bundle, foreign], sign });
    await until(() => source.bundles().size === 2);
    const calls = fake.calls.length;
    fake.giveRawJwtBundles({});
    await until(() => problems.length > 0);
    assert.deepEqual(problems, ["WORKLOAD_API_RESPONSE_INVALID"]);
    assert.equal(source.bundles().size, 2);
    fake.giveJwt({ bundles: [bundle], sign });
    await until(() => source.bundles().size === 1);
    assert.equal(fake.calls.length, calls);
  });

  test("WLA-03 (Workload API §4.2): a stream that ends is opened again at once", async () => {
    await using fake = await FakeWorkloadApi.open();
    const { source, clock } = await opened(fake);
    await using _ = source;
    // The clock moves only here: a pause would never end.
    await clock.advance(1000);
    fake.endStreams();
    await fake.waitForCalls(2);
    assert.equal(source.bundles().size, 1);
  });

  test("WLE-17 (Workload Endpoint §6): UNIMPLEMENTED is reported and not tried again", async () => {
    await using fake = await FakeWorkloadApi.open();
    await assert.rejects(openJwtSource({ address: fake.address }), coded("RPC_UNIMPLEMENTED"));
    assert.equal(fake.calls.length, 1);
    const { source, clock, problems } = await opened(fake);
    await using _ = source;
    fake.fail("unimplemented");
    await until(() => problems.length > 0);
    assert.deepEqual(problems, ["RPC_UNIMPLEMENTED"]);
    await clock.advance(100_000);
    assert.equal(fake.calls.length, 2);
  });

  test("a token of another identity than the one that was asked for is discarded", async () => {
    await using fake = await FakeWorkloadApi.open();
    const { source } = await opened(fake, { id: ADMIN });
    await using _ = source;
    await assert.rejects(source.fetch(AUDIENCE), coded("WORKLOAD_API_RESPONSE_INVALID"));
    await using client = openWorkloadApi({ address: fake.address });
    await assert.rejects(
      client.fetchJwtSvids(AUDIENCE, { id: ADMIN }),
      coded("WORKLOAD_API_RESPONSE_INVALID"),
    );
    assert.equal((await client.fetchJwtSvids(AUDIENCE, { id: WEB }))[0]?.id, WEB);
  });
});

async function opened(
  fake: FakeWorkloadApi,
  options: Pick<JwtSourceOptions, "id"> = {},
): Promise<{
  readonly source: JwtSource;
  readonly clock: ManualClock;
  readonly problems: string[];
}> {
  const clock = new ManualClock(Date.now());
  const problems: string[] = [];
  fake.giveJwt({ bundles: [bundle], sign });
  const source = await openJwtSource({
    ...options,
    address: fake.address,
    clock,
    onProblem: ({ code }) => problems.push(code),
  });
  return { source, clock, problems };
}

function coded(code: string): (error: unknown) => boolean {
  return (error) => isBonafideError(error, code);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
