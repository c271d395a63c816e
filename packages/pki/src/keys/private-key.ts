import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import { concat } from "../der/bytes.ts";
import { DerReader } from "../der/der-reader.ts";
import { TAG } from "../der/tags.ts";
import { PKI_ERRORS } from "../errors.ts";
import { parsePem } from "../pem.ts";
import { keyAlgorithmOf, P256_PREFIX } from "./public-key.ts";

const PKCS8_BYTES_MAX = 16_384;
const FIELD_OCTETS = 32;
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const P256_SPKI = fromHex(P256_PREFIX);
/** PrivateKeyInfo with an ECPrivateKey that repeats the public point, as Go and OpenSSL write it. */
const P256_PKCS8 = fromHex(
  "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420",
);
const P256_PKCS8_POINT = fromHex("a14403420004");

/** A new key and the public half that its owner shows. */
export interface GeneratedKey {
  readonly privateKey: KeyObject;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
}

function unsupported(message: string, cause?: unknown): BonafideError {
  return new BonafideError(PKI_ERRORS, "PRIVATE_KEY_UNSUPPORTED", message, { cause });
}

/** Generates a key; P-256 takes about 35 us. */
export function generateKey(algorithm: "ec-p256" | "ec-p384" | "ed25519"): GeneratedKey {
  const { privateKey } =
    algorithm === "ed25519"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("ec", { namedCurve: algorithm === "ec-p256" ? "P-256" : "P-384" });
  return { privateKey, spki: encodePublicKey(privateKey) };
}

/**
 * DER of the PKCS#8 PrivateKeyInfo; for P-256 written by hand at a third of the cost of `KeyObject.export`.
 *
 * @throws PRIVATE_KEY_UNSUPPORTED  not a private key that is accepted
 */
export function encodePrivateKey(key: KeyObject): Uint8Array {
  const p256 = p256Parts(privateOnly(key));
  if (p256 !== undefined) return concat(P256_PKCS8, p256.d, P256_PKCS8_POINT, p256.x, p256.y);
  return new Uint8Array(key.export({ format: "der", type: "pkcs8" }));
}

/**
 * DER of the SubjectPublicKeyInfo of a public or private key.
 *
 * @throws PUBLIC_KEY_UNSUPPORTED
 */
export function encodePublicKey(key: KeyObject): Uint8Array {
  keyAlgorithmOf(key);
  const p256 = p256Parts(key);
  if (p256 !== undefined) return concat(P256_SPKI, p256.x, p256.y);
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return new Uint8Array(publicKey.export({ format: "der", type: "spki" }));
}

/**
 * Imports a PKCS#8 private key.
 *
 * @throws PRIVATE_KEY_UNSUPPORTED  not PKCS#8, or a key that is not accepted
 */
export function parsePrivateKey(pkcs8: Uint8Array): KeyObject {
  if (pkcs8.length > PKCS8_BYTES_MAX) throw unsupported("private key too large");
  let key: KeyObject;
  try {
    // OpenSSL ignores what follows the key; we do not.
    const whole = new DerReader(pkcs8);
    whole.enter(TAG.sequence);
    whole.finish();
    key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  } catch {
    // No cause: an error of the parser could quote what it read.
    throw unsupported("not a PKCS#8 private key");
  }
  return privateOnly(key);
}

/**
 * Imports the one PKCS#8 private key of a PEM text.
 *
 * @throws PEM_MALFORMED            not exactly one block of label `PRIVATE KEY`
 * @throws PRIVATE_KEY_UNSUPPORTED  as {@link parsePrivateKey}
 */
export function parsePrivateKeyPem(text: string): KeyObject {
  const [block, ...rest] = parsePem(text);
  if (block === undefined || rest.length > 0 || block.label !== "PRIVATE KEY") {
    throw new BonafideError(PKI_ERRORS, "PEM_MALFORMED", "not one PRIVATE KEY block");
  }
  return parsePrivateKey(block.der);
}

function privateOnly(key: KeyObject): KeyObject {
  if (key.type !== "private") throw unsupported("not a private key");
  try {
    keyAlgorithmOf(key);
  } catch (error) {
    throw unsupported("kind of key, curve or size", error);
  }
  return key;
}

interface P256Parts {
  readonly d: Uint8Array;
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

/** The numbers of a P-256 key, or undefined for another kind. A JWK costs a third of a DER export. */
function p256Parts(key: KeyObject): P256Parts | undefined {
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return undefined;
  const jwk = key.export({ format: "jwk" });
  return { d: field(jwk.d), x: field(jwk.x), y: field(jwk.y) };
}

/** A number of a JWK: always as long as the field (RFC 7518 §6.2), which is asserted and not assumed. */
function field(value: unknown): Uint8Array {
  if (value === undefined) return new Uint8Array(0);
  const bytes = Buffer.from(typeof value === "string" ? value : "", "base64url");
  if (bytes.length !== FIELD_OCTETS) throw unsupported("length of a number");
  return bytes;
}
