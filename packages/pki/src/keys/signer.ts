import { type KeyObject, sign as cryptoSign, verify as cryptoVerify } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import { PKI_ERRORS } from "../errors.ts";
import { SIGNATURE_ALGORITHMS } from "../x509/algorithm.ts";
import { OID } from "../x509/oids.ts";
import { encodePublicKey } from "./private-key.ts";
import { type KeyAlgorithm, keyAlgorithmOf } from "./public-key.ts";

/** Signs in this process, at once. */
export interface Signer {
  /** Dotted OID of the signature algorithm. */
  readonly algorithm: string;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** @returns The signature as X.509 carries it (ECDSA: DER). */
  sign(message: Uint8Array): Uint8Array;
}

const ALGORITHM_OF_KEY: Readonly<Record<KeyAlgorithm, string>> = {
  "ec-p256": OID.ecdsaWithSha256,
  "ec-p384": OID.ecdsaWithSha384,
  "ec-p521": OID.ecdsaWithSha512,
  ed25519: OID.ed25519,
  rsa: OID.rsaWithSha256,
};

/** The signature algorithm that {@link keySigner} uses with a kind of key, as dotted OID. */
export function signatureAlgorithmOf(key: KeyAlgorithm): string {
  return ALGORITHM_OF_KEY[key];
}

/**
 * A signer over a private key in memory: ECDSA with the curve's own hash, RSA PKCS#1 v1.5 with SHA-256, Ed25519.
 *
 * @throws PRIVATE_KEY_UNSUPPORTED  not a private key
 * @throws PUBLIC_KEY_UNSUPPORTED   a kind, curve or size that is not accepted
 */
export function keySigner(privateKey: KeyObject): Signer {
  if (privateKey.type !== "private") {
    throw new BonafideError(PKI_ERRORS, "PRIVATE_KEY_UNSUPPORTED", "not a private key");
  }
  const algorithm = signatureAlgorithmOf(keyAlgorithmOf(privateKey));
  const hash = SIGNATURE_ALGORITHMS.get(algorithm)?.hash ?? null;
  return {
    algorithm,
    spki: encodePublicKey(privateKey),
    sign: (message) => cryptoSign(hash, message, privateKey),
  };
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
  const algorithm = SIGNATURE_ALGORITHMS.get(check.algorithm);
  if (algorithm === undefined) {
    const message = `signature algorithm ${check.algorithm} is not accepted`;
    throw new BonafideError(PKI_ERRORS, "PATH_SIGNATURE_WEAK", message);
  }
  if (check.publicKey.asymmetricKeyType !== algorithm.keyType) return false;
  return cryptoVerify(algorithm.hash, check.message, check.publicKey, check.signature);
}
