import type { KeyObject } from "node:crypto";

/** Signs in this process, at once. */
export interface Signer {
  /** DER of the AlgorithmIdentifier that belongs to the signatures. */
  readonly algorithm: Uint8Array;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** @returns The signature as X.509 carries it (ECDSA: DER). */
  sign(message: Uint8Array): Uint8Array;
}

/**
 * A signer over a private key in memory: ECDSA with the curve's own hash, RSA PKCS#1 v1.5 with SHA-256, Ed25519.
 *
 * @throws PRIVATE_KEY_UNSUPPORTED
 */
export function keySigner(privateKey: KeyObject): Signer {
  throw new Error(`not yet ${privateKey.type}`);
}

/**
 * Checks a signature as X.509 names it.
 *
 * @param check.algorithm  Dotted OID of the signature algorithm.
 * @returns False when the signature does not belong to key and message, or the key is of another kind.
 * @throws PATH_SIGNATURE_WEAK     an algorithm that is not accepted (SHA-1, MD5, unknown)
 */
export function verifySignature(check: {
  readonly algorithm: string;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: KeyObject;
}): boolean {
  throw new Error(`not yet ${check.algorithm}`);
}
