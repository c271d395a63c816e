import { constants, type KeyObject, sign, verify } from "node:crypto";
import type { Challenge, KeyKind, Response } from "./messages.ts";

/** Octets of a coordinate by curve, as Node names them. */
const COORDINATES: ReadonlyMap<string, number> = new Map([
  ["prime256v1", 32],
  ["secp384r1", 48],
  ["secp521r1", 66],
]);

/** The kind of challenge that a key can answer; undefined: none. */
export function kindOf(key: KeyObject): KeyKind | undefined {
  if (key.asymmetricKeyType === "rsa") return "rsa";
  return key.asymmetricKeyType === "ec" && coordinateOctets(key) > 0 ? "ecdsa" : undefined;
}

/**
 * Signs both nonces: RSA by PSS, ECDSA over SHA-256 whatever the curve, as SPIRE's nodes do.
 *
 * @param nonce  Of the node, 32 random bytes: no challenger chooses alone what the key signs.
 */
export function prove(key: KeyObject, challenge: Challenge, nonce: Uint8Array): Response {
  const message = messageOf(challenge.nonce, nonce);
  if (challenge.kind === "rsa") {
    const signature = sign("sha256", message, { key, ...PSS_SIGNING });
    return { kind: "rsa", nonce, signature: new Uint8Array(signature) };
  }
  const pair = sign("sha256", message, { key, dsaEncoding: "ieee-p1363" });
  const half = pair.length / 2;
  const octets = new Uint8Array(pair);
  return { kind: "ecdsa", nonce, r: octets.slice(0, half), s: octets.slice(half) };
}

/** Whether a response proves that its sender holds the private half of a key. */
export function isProven(key: KeyObject, challenge: Challenge, response: Response): boolean {
  const kind = kindOf(key);
  if (kind !== challenge.kind || kind !== response.kind) return false;
  const message = messageOf(challenge.nonce, response.nonce);
  if (response.kind === "rsa") {
    return verify("sha256", message, { key, ...PSS_VERIFYING }, response.signature);
  }
  const octets = coordinateOctets(key);
  const [r, s] = [padded(response.r, octets), padded(response.s, octets)];
  if (r === undefined || s === undefined) return false;
  const pair = Buffer.concat([r, s]);
  return verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, pair);
}

const PSS_SIGNING = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
} as const;
const PSS_VERIFYING = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_AUTO,
} as const;

function messageOf(ofServer: Uint8Array, ofNode: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([ofServer, ofNode]));
}

function coordinateOctets(key: KeyObject): number {
  return COORDINATES.get(key.asymmetricKeyDetails?.namedCurve ?? "") ?? 0;
}

/** A number with exactly so many octets; undefined: it has more. */
function padded(number: Uint8Array, octets: number): Uint8Array | undefined {
  let zeros = 0;
  while (zeros < number.length && number[zeros] === 0) zeros++;
  const digits = number.subarray(zeros);
  if (digits.length > octets) return undefined;
  const whole = new Uint8Array(octets);
  whole.set(digits, octets - digits.length);
  return whole;
}
