import process from "node:process";
import { test } from "node:test";
import {
  createCsr,
  formatPem,
  keySigner,
  parseCertificate,
  parseCertificates,
  parseCsr,
  parsePem,
  parsePrivateKey,
  publicKeyOf,
  verifyCsr,
  verifyPath,
} from "./index.ts";
import {
  assertAnswered,
  assertNothingHeld,
  attemptAll,
  defective,
  hostileSeed,
  makeCertificate,
  makeKey,
  seededNumbers,
  TestCa,
} from "./testing/index.ts";

const INPUTS = 200_000;

test(`${INPUTS} hostile inputs: a value or a code each, in time, and no memory kept`, async (t) => {
  const seed = hostileSeed(process.env);
  t.diagnostic(`seed ${seed}`);
  const next = seededNumbers(seed);
  const root = new TestCa("spiffe://a");
  const end = root.issue("spiffe://a/x", { dnsNames: ["x.org"] });
  const constrained = makeCertificate({ isAuthority: true, pathLength: 1, permitted: ["a"] });
  const signer = keySigner(makeKey().privateKey);
  const seeds = {
    certificate: [end.certificate.der, root.certificate.der, constrained.der],
    csr: [createCsr(signer, { uris: ["spiffe://a/x"] }), createCsr(signer)],
    spki: [signer.spki, makeKey("rsa-2048").spki],
  };
  const pick = (from: readonly Uint8Array[]): Uint8Array =>
    defective(next, from[next(from.length)] ?? Uint8Array.of());
  const run = await attemptAll(
    [
      () => parseCertificate(pick(seeds.certificate)),
      () => parseCertificates(pick(seeds.certificate)),
      () =>
        verifyPath([parseCertificate(pick(seeds.certificate))], [root.certificate], {
          now: Date.now(),
        }),
      () => verifyCsr(parseCsr(pick(seeds.csr))),
      () =>
        parsePem(Buffer.from(pick([Buffer.from(formatPem("X", signer.spki))])).toString("latin1")),
      () => publicKeyOf({ spki: pick(seeds.spki) }),
      () => parsePrivateKey(pick(seeds.spki)),
    ],
    INPUTS,
  );
  t.diagnostic(`kept: ${JSON.stringify(run)}`);
  assertAnswered(run);
  assertNothingHeld(run);
});
