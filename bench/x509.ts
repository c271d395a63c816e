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

const HOUR_MS = 3_600_000;
const TURNS = 6;
/** Calls between two looks at the clock. */
const BATCH = 20;

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
  const [value, yardstick] = bestRates([ours, rawSign], windowMs);
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
  const rates = bestRates([ours, rawSign, rawVerify], windowMs);
  const [value = 0, signs = 0, verifies = 0] = rates;
  return sampleOf(value, 1 / (1 / signs + 1 / verifies));
}

/** Calls a second of each, measured in turns, so that what else the machine does falls on all of them; the best turn. */
function bestRates(calls: readonly (() => unknown)[], windowMs: number): readonly number[] {
  const turnMs = windowMs / (TURNS * calls.length);
  const best = calls.map(() => 0);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [index, call] of calls.entries()) {
      best[index] = Math.max(best[index] ?? 0, rate(call, turnMs));
    }
  }
  return best;
}

function rate(call: () => unknown, durationMs: number): number {
  const start = performance.now();
  let done = 0;
  let passed: number;
  do {
    for (let i = 0; i < BATCH; i++) call();
    done += BATCH;
    passed = performance.now() - start;
  } while (passed < durationMs);
  return (done * 1000) / passed;
}
