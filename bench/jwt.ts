import { createPublicKey, sign, verify } from "node:crypto";
import { generateKey, jwsSigner, keySigner } from "@bonafide/pki";
import {
  type JwtBundleSet,
  parseJwtBundle,
  parseSpiffeId,
  signJwtSvid,
  trustDomainOf,
  verifyJwtSvid,
} from "@bonafide/spiffe";
import { type Bench, type Sample, sampleOf, type WindowOptions } from "./harness/bench.ts";
import { steadyRates } from "./harness/steady-rates.ts";

const AUDIENCE = "spiffe://example.org/ns/default/sa/database";
const KEY_ID = "jwt-authority-of-the-bench-00001";

/** Signing a JWT-SVID and judging one, against the one signature that each contains. */
export const benches: readonly Bench[] = [
  { name: "jwt-mint", unit: "1/s", target: { of: "ratio", atLeast: 0.85 }, run: measureMint },
  {
    name: "jwt-validate",
    unit: "1/s",
    target: { of: "ratio", atLeast: 0.7 },
    run: measureValidate,
  },
];

interface Setup {
  readonly mint: () => string;
  readonly bundles: JwtBundleSet;
  readonly rawSign: (message: Uint8Array) => Uint8Array;
  readonly rawVerify: (message: Uint8Array, signature: Uint8Array) => boolean;
}

function setUp(): Setup {
  const { privateKey } = generateKey("ec-p256");
  const signer = jwsSigner(keySigner(privateKey));
  const id = parseSpiffeId("spiffe://example.org/ns/default/sa/web");
  const trustDomain = trustDomainOf(id);
  const publicKey = createPublicKey(privateKey);
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: KEY_ID, use: "jwt-svid" };
  const bundle = parseJwtBundle(trustDomain, JSON.stringify({ keys: [jwk] }));
  return {
    mint: () => {
      // The instant moves, as it does in a server.
      const issuedAt = Date.now();
      const template = { id, audience: [AUDIENCE], issuedAt, expiresAt: issuedAt + 300_000 };
      return signJwtSvid(signer, KEY_ID, template);
    },
    bundles: new Map([[trustDomain, bundle]]),
    rawSign: (message) => sign("sha256", message, privateKey),
    rawVerify: (message, signature) => verify("sha256", message, publicKey, signature),
  };
}

function signedPart(token: string): Uint8Array {
  return new Uint8Array(Buffer.from(token.slice(0, token.lastIndexOf(".")), "latin1"));
}

async function measureMint({ windowMs }: WindowOptions): Promise<Sample> {
  const { mint, rawSign } = setUp();
  const message = signedPart(mint());
  const [value = 0, yardstick = 0] = steadyRates([mint, () => rawSign(message)], windowMs);
  return sampleOf(value, yardstick);
}

async function measureValidate({ windowMs }: WindowOptions): Promise<Sample> {
  const { mint, bundles, rawSign, rawVerify } = setUp();
  const token = mint();
  const message = signedPart(token);
  const signature = rawSign(message);
  const validate = (): unknown =>
    verifyJwtSvid(token, bundles, { audience: AUDIENCE, now: Date.now() });
  const raw = (): unknown => rawVerify(message, signature);
  const [value = 0, yardstick = 0] = steadyRates([validate, raw], windowMs);
  return sampleOf(value, yardstick);
}
