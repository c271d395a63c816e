import type { KeyObject } from "node:crypto";

/** The kinds of key that are accepted. */
export type KeyAlgorithm = "ec-p256" | "ec-p384" | "ec-p521" | "ed25519" | "rsa";

/**
 * Checks and imports the public key of a certificate or request, once per object.
 *
 * EC keys are uncompressed points on a named curve, RSA keys have 2048 to 8192 bits.
 *
 * @param holder  Has the exact SubjectPublicKeyInfo.
 * @throws PUBLIC_KEY_UNSUPPORTED
 */
export function publicKeyOf(holder: { readonly spki: Uint8Array }): KeyObject {
  throw new Error(`not yet ${holder.spki.length}`);
}

/**
 * The kind of a key, by its own description.
 *
 * @throws PUBLIC_KEY_UNSUPPORTED  a kind, curve or size that is not accepted
 */
export function keyAlgorithmOf(key: KeyObject): KeyAlgorithm {
  throw new Error(`not yet ${key.type}`);
}

/** SHA-1 of the key bits of a SubjectPublicKeyInfo: the customary key identifier (RFC 5280 §4.2.1.2, method 1). */
export function keyIdOf(spki: Uint8Array): Uint8Array {
  throw new Error(`not yet ${spki.length}`);
}
