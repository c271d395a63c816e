import { constants, type KeyObject, verify } from "node:crypto";
import { type KeyAlgorithm, keyAlgorithmOf } from "../keys/public-key.ts";

/** The signature algorithms of RFC 7518 §3.1 that are accepted: those with a key pair, and nothing else. */
export const JWS_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
] as const;

/** A name of {@link JWS_ALGORITHMS}. */
export type JwsAlgorithm = (typeof JWS_ALGORITHMS)[number];

interface Scheme {
  readonly key: KeyAlgorithm;
  readonly hash: string;
  /** How node:crypto is to read the signature, beside the key. */
  readonly options: object;
  /** Octets of a signature; undefined: as many as the modulus has. */
  readonly octets: number | undefined;
}

function schemeOf(algorithm: JwsAlgorithm): Scheme {
  return SCHEMES[algorithm];
}

const pkcs1 = (hash: string): Scheme => ({
  key: "rsa",
  hash,
  options: { padding: constants.RSA_PKCS1_PADDING },
  octets: undefined,
});
const pss = (hash: string): Scheme => ({
  key: "rsa",
  hash,
  // RFC 7518 §3.5: the salt is as long as the hash, no other length is valid.
  options: {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  },
  octets: undefined,
});
const ecdsa = (key: KeyAlgorithm, hash: string, octets: number): Scheme => ({
  key,
  hash,
  options: { dsaEncoding: "ieee-p1363" },
  octets,
});
const SCHEMES: Readonly<Record<JwsAlgorithm, Scheme>> = {
  RS256: pkcs1("sha256"),
  RS384: pkcs1("sha384"),
  RS512: pkcs1("sha512"),
  ES256: ecdsa("ec-p256", "sha256", 64),
  ES384: ecdsa("ec-p384", "sha384", 96),
  ES512: ecdsa("ec-p521", "sha512", 132),
  PS256: pss("sha256"),
  PS384: pss("sha384"),
  PS512: pss("sha512"),
};

/** Whether a value is the name of an algorithm that is accepted; case counts. */
export function isJwsAlgorithm(value: unknown): value is JwsAlgorithm {
  return typeof value === "string" && Object.hasOwn(SCHEMES, value);
}

/**
 * Whether a public key may stand behind a signature of this algorithm: the right kind and, for ECDSA, the right curve.
 * A key that is not accepted at all fits none.
 */
export function fitsJwsAlgorithm(algorithm: JwsAlgorithm, publicKey: KeyObject): boolean {
  if (publicKey.type !== "public") return false;
  try {
    return keyAlgorithmOf(publicKey) === schemeOf(algorithm).key;
  } catch {
    return false;
  }
}

/**
 * Checks a JWS signature.
 *
 * @param check.signature  As JWS carries it (ECDSA: r and s at full width).
 * @returns False when it does not belong to key and message, or the key does not fit the algorithm.
 * @spec RFC 7518 §3.3, §3.4, §3.5
 */
export function verifyJws(check: {
  readonly algorithm: JwsAlgorithm;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: KeyObject;
}): boolean {
  const { algorithm, message, signature, publicKey } = check;
  if (!fitsJwsAlgorithm(algorithm, publicKey)) return false;
  const { hash, octets, options } = schemeOf(algorithm);
  const width = octets ?? Math.ceil((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  if (signature.length !== width) return false;
  return verify(hash, message, { key: publicKey, ...options }, signature);
}
