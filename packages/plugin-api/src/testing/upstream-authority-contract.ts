import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { createCsr, generateKey, keySigner, parseCertificate, verifyPath } from "@bonafide/pki";
import {
  canPublishJwtKeys,
  type MintRequest,
  type UpstreamAuthority,
} from "../upstream-authority.ts";

/** One to try, with the trust domain it is of. */
export interface UpstreamUnderTest extends AsyncDisposable {
  readonly upstream: UpstreamAuthority;
  /** Name without scheme. */
  readonly trustDomain: string;
  /** Wall time that certificates are judged at, epoch ms. */
  readonly now: number;
}

const HOUR_MS = 3_600_000;

interface Asked {
  readonly request: MintRequest;
  readonly spki: Uint8Array;
}

function requestOf(trustDomain: string): Asked {
  const { privateKey, spki } = generateKey("ec-p256");
  const csr = createCsr(keySigner(privateKey), { uris: [`spiffe://${trustDomain}`] });
  return { request: { csr, ttlMs: HOUR_MS }, spki };
}

function isClosed(error: unknown): boolean {
  return isBonafideError(error, "UPSTREAM_AUTHORITY_CLOSED");
}

/**
 * The contract of {@link UpstreamAuthority}, as tests: every upstream authority passes it.
 *
 * @param name  Of the upstream authority.
 * @param open  Opens one that works; the suite closes it.
 */
export function upstreamAuthorityContract(
  name: string,
  open: () => Promise<UpstreamUnderTest>,
): void {
  suite(`upstream authority ${name}`, () => {
    test("what it mints is an authority for the key of the request, and leads to a root of its bundle", async () => {
      await using tried = await open();
      const { upstream, trustDomain, now } = tried;
      const { request, spki } = requestOf(trustDomain);
      const { chain, roots } = await upstream.mint(request);
      const certificates = chain.map(parseCertificate);
      const [own] = certificates;
      assert.deepEqual(own?.spki, spki);
      assert.equal(own.isAuthority, true);
      assert.deepEqual(own.uris, [`spiffe://${trustDomain}`]);
      assert.ok(own.notAfter <= now + HOUR_MS && own.notAfter > now);
      const anchors = roots.map(({ certificate }) => parseCertificate(certificate));
      verifyPath(certificates, anchors, { now, subjectKind: "authority" });
      const bundle = await upstream.bundle();
      const published = bundle.roots.map(({ certificate }) => parseCertificate(certificate));
      verifyPath(certificates, published, { now, subjectKind: "authority" });
    });

    test("refuses what is no request, or is not signed by its key", async () => {
      await using tried = await open();
      const { upstream, trustDomain } = tried;
      const { request } = requestOf(trustDomain);
      const forged = new Uint8Array(request.csr);
      forged[forged.length - 10] = (forged.at(-10) ?? 0) ^ 1;
      for (const csr of [new Uint8Array(), Uint8Array.of(0x30, 0), forged]) {
        await assert.rejects(upstream.mint({ ...request, csr }));
      }
    });

    test("a key that is published twice is published once", async () => {
      await using tried = await open();
      const { upstream, now } = tried;
      if (!canPublishJwtKeys(upstream)) {
        assert.deepEqual((await upstream.bundle()).jwtKeys, []);
        return;
      }
      const { spki } = generateKey("ec-p256");
      const expiresAt = Math.floor((now + HOUR_MS) / 1000) * 1000;
      const key = { keyId: "k1", publicKey: spki, expiresAt, tainted: false };
      await upstream.publishJwtKey(key);
      const keys = await upstream.publishJwtKey(key);
      assert.equal(keys.filter(({ keyId }) => keyId === "k1").length, 1);
      const { jwtKeys } = await upstream.bundle();
      assert.deepEqual(
        jwtKeys.find(({ keyId }) => keyId === "k1"),
        key,
      );
    });

    test("an aborted call fails, and so does every call after close", async () => {
      await using tried = await open();
      const { upstream, trustDomain } = tried;
      await assert.rejects(upstream.bundle({ signal: AbortSignal.abort() }));
      await upstream.close();
      await upstream.close();
      await assert.rejects(upstream.bundle(), isClosed);
      await assert.rejects(upstream.mint(requestOf(trustDomain).request), isClosed);
    });
  });
}
