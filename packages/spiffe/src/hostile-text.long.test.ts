import process from "node:process";
import { test } from "node:test";
import { formatPem, generateKey, jwsSigner, keySigner, publicKeyOf } from "@bonafide/pki";
import {
  assertAnswered,
  assertNothingHeld,
  attemptAll,
  defective,
  hostileSeed,
  seededNumbers,
} from "@bonafide/pki/testing";
import {
  formatBundleMap,
  formatSpiffeBundle,
  parseBundleMap,
  parseJwtBundle,
  parseJwtSvid,
  parseSpiffeBundle,
  parseSpiffeId,
  parseTrustDomain,
  parseX509BundleDer,
  parseX509BundlePem,
  parseX509SvidPem,
  signJwtSvid,
} from "./index.ts";
import { TestTrustDomain } from "./testing/index.ts";

const INPUTS = 200_000;

test(`${INPUTS} hostile IDs, bundles, tokens and SVIDs: a value or a code each, in time, and no memory kept`, async (t) => {
  const seed = hostileSeed(process.env);
  t.diagnostic(`seed ${seed}`);
  const next = seededNumbers(seed);
  const domain = new TestTrustDomain("example.org");
  domain.rotateAuthority();
  const { trustDomain, bundle: x509 } = domain;
  const { chain } = domain.issue("/a/b");
  const signer = keySigner(generateKey("ec-p256").privateKey);
  const document = {
    trustDomain,
    sequence: 7n,
    refreshHintSeconds: 300,
    x509,
    jwtAuthorities: [{ keyId: "k", publicKey: publicKeyOf(signer) }],
    witAuthorities: [],
  };
  const now = Date.now();
  const token = signJwtSvid(jwsSigner(signer), "k", {
    id: parseSpiffeId("spiffe://example.org/a/b"),
    audience: ["x"],
    issuedAt: now,
    expiresAt: now + 300_000,
  });
  const chainPem = chain.map(({ der }) => formatPem("CERTIFICATE", der)).join("");
  const rootsPem = x509.authorities.map(({ der }) => formatPem("CERTIFICATE", der)).join("");
  const text = (source: string): string =>
    Buffer.from(defective(next, Buffer.from(source))).toString("utf8");
  const roots = Buffer.concat(x509.authorities.map(({ der }) => der));
  const run = await attemptAll(
    [
      () => parseSpiffeId(text("spiffe://example.org/a/b-c/d_e.f")),
      () => parseTrustDomain(text("spiffe://example.org")),
      () => parseSpiffeBundle(trustDomain, text(formatSpiffeBundle(document))),
      () => parseJwtBundle(trustDomain, text(formatSpiffeBundle(document))),
      () => parseBundleMap(text(formatBundleMap(new Map([[trustDomain, document]])))),
      () => parseX509BundleDer(trustDomain, defective(next, roots)),
      () => parseX509BundlePem(trustDomain, text(rootsPem)),
      () => parseX509SvidPem(text(chainPem), text(formatPem("PRIVATE KEY", signer.spki))),
      () => parseJwtSvid(text(token)),
    ],
    INPUTS,
  );
  t.diagnostic(`kept: ${JSON.stringify(run)}`);
  assertAnswered(run);
  assertNothingHeld(run);
});
