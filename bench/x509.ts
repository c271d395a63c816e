import { sign, verify } from "node:crypto";
import {
  CertificateIssuer,
  createCsr,
  encodeName,
  generateKey,
  issueRoot,
  keySigner,
  parseCertificate,
  parseCsr,
  publicKeyOf,
  verifyCsr,
} from "@bonafide/pki";
import { type Bench, type Sample, sampleOf, type WindowOptions } from "./harness/bench.ts";
import { steadyRates } from "./harness/steady-rates.ts";

const HOUR_MS = 3_600_000;

/** Signing an X509-SVID, and the whole way from a request to it, against the bare crypto they contain. */
export const benches: readonly Bench[] = [
  { name: "x509-issue", unit: "1/s", target: { of: "ratio", atLeast: 0.6 }, run: measureIssue },
  { name: "csr-to-svid", unit: "1/s", target: { of: "ratio", atLeast: 0.6 }, run: measureCsr },
];

interface Setup {
  readonly issue: (spki: Uint8Array) => Uint8Array;
  readonly csr: Uint8Array;
  readonly spki: Uint8Array;
  readonly rawSign: () => Uint8Array;
}

function setUp(): Setup {
  const now = Date.now();
  const authorityKey = generateKey("ec-p256");
  const signer = keySigner(authorityKey.privateKey);
  const root = issueRoot(signer, {
    uris: ["spiffe://example.org"],
    subject: encodeName([
      { type: "C", value: "US" },
      { type: "O", value: "SPIFFE" },
    ]),
    notBefore: now,
    notAfter: now + 24 * HOUR_MS,
  });
  const issuer = new CertificateIssuer(parseCertificate(root.der), signer);
  const subject = encodeName([
    { type: "C", value: "US" },
    { type: "O", value: "SPIRE" },
  ]);
  const uris = ["spiffe://example.org/ns/default/sa/web"];
  const leafKey = generateKey("ec-p256");
  // The instant moves, as it does in a server: times are encoded anew each second.
  const issue = (spki: Uint8Array): Uint8Array => {
    const notBefore = Date.now() - 10_000;
    return issuer.issueLeaf({ spki, uris, subject, notBefore, notAfter: notBefore + HOUR_MS }).der;
  };
  const { tbs } = parseCertificate(issue(leafKey.spki));
  return {
    issue,
    csr: createCsr(keySigner(leafKey.privateKey), { subject, uris }),
    spki: leafKey.spki,

    rawSign: () => sign("sha256", tbs, authorityKey.privateKey),
  };
}

async function measureIssue({ windowMs }: WindowOptions): Promise<Sample> {
  const { issue, spki, rawSign } = setUp();
  const ours = (): unknown => issue(spki);
  const [value, yardstick] = steadyRates([ours, rawSign], windowMs);
  return sampleOf(value ?? 0, yardstick ?? 0);
}

async function measureCsr({ windowMs }: WindowOptions): Promise<Sample> {
  const { issue, csr, rawSign } = setUp();
  const request = parseCsr(csr);
  const publicKey = publicKeyOf(request);
  const rawVerify = (): unknown => verify("sha256", request.tbs, publicKey, request.signature);
  const ours = (): unknown => {
    // A request arrives once: its key is imported each time.
    const parsed = parseCsr(csr);
    verifyCsr(parsed);
    return issue(parsed.spki);
  };
  const rates = steadyRates([ours, rawSign, rawVerify], windowMs);
  const [value = 0, signs = 0, verifies = 0] = rates;
  return sampleOf(value, 1 / (1 / signs + 1 / verifies));
}
