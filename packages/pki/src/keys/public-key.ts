import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import { sameBytes, toHex } from "../der/bytes.ts";
import { DerReader } from "../der/der-reader.ts";
import { TAG } from "../der/tags.ts";
import { PKI_ERRORS } from "../errors.ts";
import { PKI_LIMITS } from "../limits.ts";

/** The kinds of key that are accepted. */
export type KeyAlgorithm = "ec-p256" | "ec-p384" | "ec-p521" | "ed25519" | "rsa";

interface FixedForm {
  readonly algorithm: KeyAlgorithm;
  /** Everything before the key's own octets; for EC it ends in 04, an uncompressed point. */
  readonly prefix: Uint8Array;
  /** Octets of the whole element. */
  readonly length: number;
}

function fixedForm(algorithm: KeyAlgorithm, prefix: string, keyOctets: number): FixedForm {
  const bytes = new Uint8Array(Buffer.from(prefix, "hex"));
  return { algorithm, prefix: bytes, length: bytes.length + keyOctets };
}

/** What stands before x and y in the SubjectPublicKeyInfo of a P-256 key. */
export const P256_PREFIX = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
const FIXED_FORMS: readonly FixedForm[] = [
  fixedForm("ec-p256", P256_PREFIX, 64),
  fixedForm("ec-p384", "3076301006072a8648ce3d020106052b8104002203620004", 96),
  fixedForm("ec-p521", "30819b301006072a8648ce3d020106052b810400230381860004", 132),
  fixedForm("ed25519", "302a300506032b6570032100", 32),
];
const RSA_ALGORITHM = "06092a864886f70d0101010500";
const RSA_EXPONENT_MAX = 0x7fffffffn;

function unsupported(message: string, cause?: unknown): BonafideError {
  return new BonafideError(PKI_ERRORS, "PUBLIC_KEY_UNSUPPORTED", message, { cause });
}

/**
 * The kind of the key in a SubjectPublicKeyInfo, by its bytes alone: form, curve and size, not whether the point lies on
 * its curve.
 *
 * @throws PUBLIC_KEY_UNSUPPORTED
 */
export function inspectSpki(spki: Uint8Array): KeyAlgorithm {
  for (const form of FIXED_FORMS) {
    if (spki.length !== form.length) continue;
    if (sameBytes(spki.subarray(0, form.prefix.length), form.prefix)) return form.algorithm;
  }
  try {
    const whole = new DerReader(spki);
    const outer = whole.enter(TAG.sequence);
    whole.finish();
    const algorithm = outer.content(TAG.sequence);
    if (toHex(algorithm) !== RSA_ALGORITHM)
      throw unsupported("kind of key, curve, or form of point");
    const bits = new DerReader(outer.octetBits());
    outer.finish();
    const key = bits.enter(TAG.sequence);
    bits.finish();
    const modulus = toNumber(key.unsigned(PKI_LIMITS.rsaBitsMax / 8 + 1));
    const exponent = toNumber(key.unsigned(8));
    key.finish();
    const size = modulus.toString(2).length;
    const sound =
      size >= PKI_LIMITS.rsaBitsMin &&
      size <= PKI_LIMITS.rsaBitsMax &&
      modulus % 2n === 1n &&
      isSoundExponent(exponent);
    if (!sound) throw unsupported("RSA modulus or exponent");
    return "rsa";
  } catch (error) {
    throw unsupported("not a public key that is accepted", error);
  }
}

/** With an exponent of 1 anybody can sign. */
function isSoundExponent(exponent: bigint): boolean {
  return exponent >= 3n && exponent <= RSA_EXPONENT_MAX && exponent % 2n === 1n;
}

function toNumber(octets: Uint8Array): bigint {
  return BigInt(`0x${toHex(octets)}`);
}

const imported = new WeakMap<Uint8Array, KeyObject>();

/**
 * Checks and imports the public key of a certificate or request, once per object.
 *
 * EC keys are uncompressed points on a named curve, RSA keys have 2048 to 8192 bits.
 *
 * @param holder  Has the exact SubjectPublicKeyInfo.
 * @throws PUBLIC_KEY_UNSUPPORTED
 */
export function publicKeyOf(holder: { readonly spki: Uint8Array }): KeyObject {
  const known = imported.get(holder.spki);
  if (known !== undefined) return known;
  const key = importSpki(holder.spki);
  imported.set(holder.spki, key);
  return key;
}

/**
 * Checks and imports a public key that is used once: remembering each would cost the garbage collector more than it
 * saves.
 *
 * @throws PUBLIC_KEY_UNSUPPORTED
 */
export function importSpki(spki: Uint8Array): KeyObject {
  inspectSpki(spki);
  try {
    // OpenSSL checks here that a point lies on its curve.
    const key = Buffer.from(spki.buffer, spki.byteOffset, spki.length);
    return createPublicKey({ key, format: "der", type: "spki" });
  } catch (error) {
    throw unsupported("not a valid key of its kind", error);
  }
}

const CURVES: Readonly<Record<string, KeyAlgorithm>> = {
  prime256v1: "ec-p256",
  secp384r1: "ec-p384",
  secp521r1: "ec-p521",
};

/**
 * The kind of a key, by its own description.
 *
 * @throws PUBLIC_KEY_UNSUPPORTED  a kind, curve or size that is not accepted
 */
export function keyAlgorithmOf(key: KeyObject): KeyAlgorithm {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === "ed25519") return "ed25519";
  if (key.asymmetricKeyType === "ec") {
    const algorithm = CURVES[details?.namedCurve ?? ""];
    if (algorithm !== undefined) return algorithm;
  }
  const bits = details?.modulusLength ?? 0;
  const exponent = details?.publicExponent ?? 0n;
  if (
    key.asymmetricKeyType === "rsa" &&
    bits >= PKI_LIMITS.rsaBitsMin &&
    bits <= PKI_LIMITS.rsaBitsMax &&
    isSoundExponent(exponent)
  ) {
    return "rsa";
  }
  throw unsupported("kind of key, curve or size");
}

/** SHA-1 of the key bits of a SubjectPublicKeyInfo: the customary key identifier (RFC 5280 §4.2.1.2, method 1). */
export function keyIdOf(spki: Uint8Array): Uint8Array {
  return new Uint8Array(hash("sha1", keyBits(spki), "buffer"));
}

function keyBits(spki: Uint8Array): Uint8Array {
  // P-256, the common case: the bits are the last 65 octets.
  if (spki.length === 91 && spki[26] === 4) return spki.subarray(26);
  const outer = new DerReader(spki).enter(TAG.sequence);
  outer.content(TAG.sequence);
  return outer.octetBits();
}
