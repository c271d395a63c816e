import { BonafideError } from "@bonafide/errors";
import { DerReader } from "../der/der-reader.ts";
import { TAG } from "../der/tags.ts";
import { PKI_ERRORS } from "../errors.ts";
import { inspectSpki, type KeyAlgorithm } from "../keys/public-key.ts";
import type { Signer } from "../keys/signer.ts";
import type { JwsAlgorithm } from "./jws-algorithm.ts";

/** Signs as JWS carries it, in this process, at once. */
export interface JwsSigner {
  readonly algorithm: JwsAlgorithm;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

const OF_KEY: Partial<
  Readonly<Record<KeyAlgorithm, { readonly algorithm: JwsAlgorithm; readonly octets: number }>>
> = {
  "ec-p256": { algorithm: "ES256", octets: 32 },
  "ec-p384": { algorithm: "ES384", octets: 48 },
  "ec-p521": { algorithm: "ES512", octets: 66 },
  rsa: { algorithm: "RS256", octets: 0 },
};

/**
 * A JWS signer over any signer of X.509: ECDSA with the curve's own hash (ES256, ES384, ES512), or RS256.
 *
 * @throws PRIVATE_KEY_UNSUPPORTED  a kind of key that signs no JWT-SVIDs, such as Ed25519
 */
export function jwsSigner(signer: Signer): JwsSigner {
  const scheme = OF_KEY[inspectSpki(signer.spki)];
  if (scheme === undefined) {
    throw new BonafideError(PKI_ERRORS, "PRIVATE_KEY_UNSUPPORTED", "a key that signs no JWS");
  }
  const { algorithm, octets } = scheme;
  return {
    algorithm,
    spki: signer.spki,
    sign: (message) => {
      const signature = signer.sign(message);
      return octets === 0 ? signature : fixedWidth(signature, octets);
    },
  };
}

/** An ECDSA signature of X.509, which is DER, as r and s at full width (RFC 7518 §3.4). */
function fixedWidth(der: Uint8Array, octets: number): Uint8Array {
  const numbers = new DerReader(der).enter(TAG.sequence);
  const out = new Uint8Array(2 * octets);
  for (const end of [octets, 2 * octets]) {
    const number = numbers.unsigned(octets + 1);
    const digits = number.length > octets ? number.subarray(1) : number;
    out.set(digits, end - digits.length);
  }
  return out;
}
