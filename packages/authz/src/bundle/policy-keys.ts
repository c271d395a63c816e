import { formatHex } from "../core/bundle/hex.ts";
import { refuse } from "../core/bundle/refuse.ts";
import { POLICY_KEYS_MAX } from "../limits.ts";
import { sha256Hex } from "./sha256.ts";

/** Algorithms of policy keys. */
export type PolicyAlgorithm = "Ed25519" | "ECDSA P-256";

/** A public policy key. */
export interface PolicyKey {
  /** SHA-256 of the SPKI, hex: a key has one name, and a name has one key. */
  readonly id: string;
  readonly algorithm: PolicyAlgorithm;
  /** DER. */
  readonly spki: Uint8Array<ArrayBuffer>;
}

/** Signs as one policy key: a file, an HSM, another machine. */
export interface PolicySigner {
  readonly key: PolicyKey;
  /** @returns 64 bytes; for ECDSA the two numbers one after the other */
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** A new policy key, as PEM. */
export interface PolicyKeyPair {
  readonly key: PolicyKey;
  readonly publicPem: string;
  /** PKCS#8. Keep it apart from the servers' keys. */
  readonly privatePem: string;
}

const SPKI_FORMS: Readonly<Record<PolicyAlgorithm, { head: string; length: number }>> = {
  Ed25519: { head: "302a300506032b6570032100", length: 44 },
  "ECDSA P-256": {
    head: "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
    length: 91,
  },
};

/** Makes a key of one of the two algorithms. */
export async function createPolicyKey(algorithm: PolicyAlgorithm): Promise<PolicyKeyPair> {
  const pair = await crypto.subtle.generateKey(importOf(algorithm), true, ["sign", "verify"]);
  if (!("publicKey" in pair)) throw invalid("the platform made no pair");
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  return {
    key: await keyOf(spki),
    publicPem: pemOf("PUBLIC KEY", spki),
    privatePem: pemOf("PRIVATE KEY", pkcs8),
  };
}

/**
 * Reads public policy keys, one or several, as PEM.
 *
 * @throws POLICY_KEY_INVALID  none, too many, or a key of another algorithm
 */
export async function parsePolicyKeys(pem: string): Promise<readonly PolicyKey[]> {
  const blocks = derOf("PUBLIC KEY", pem);
  if (blocks.length === 0) throw invalid("no public key");
  return Promise.all(blocks.map(keyOf));
}

/**
 * Makes a signer of a private key as PEM, PKCS#8.
 *
 * @throws POLICY_KEY_INVALID
 */
export async function openPolicySigner(privatePem: string): Promise<PolicySigner> {
  const [pkcs8, more] = derOf("PRIVATE KEY", privatePem);
  if (pkcs8 === undefined || more !== undefined) throw invalid("one private key is wanted");
  const { algorithm, privateKey } = await importPrivate(pkcs8);
  // The public half: the private one without its secret number.
  const { d: _, key_ops: __, ...jwk } = await crypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await crypto.subtle.importKey("jwk", jwk, importOf(algorithm), true, [
    "verify",
  ]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  return {
    key: await keyOf(spki),
    sign: async (message) =>
      new Uint8Array(await crypto.subtle.sign(signOf(algorithm), privateKey, message)),
  };
}

/** Whether a key made a signature. Never throws for what a signature is. */
export async function verifyByPolicyKey(
  { algorithm, spki }: PolicyKey,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const key = await crypto.subtle.importKey("spki", spki, importOf(algorithm), false, ["verify"]);
  return crypto.subtle.verify(signOf(algorithm), key, signature, message);
}

const ownKey: unique symbol = Symbol("PolicyTrust");

/** Options of {@link PolicyTrust.of}. */
export interface PolicyTrustOptions {
  readonly keys: readonly PolicyKey[];
  /** How many different keys must have signed; from 1 to the number of keys. */
  readonly threshold: number;
  /** SPKIs, DER, of keys that sign identities; a policy key must be none of them. */
  readonly authorities?: readonly Uint8Array[];
}

/** Which policy keys are trusted, and how many must agree. There is none that trusts everything. */
export class PolicyTrust {
  readonly keys: ReadonlyMap<string, PolicyKey>;
  readonly threshold: number;

  private constructor(key: typeof ownKey, keys: ReadonlyMap<string, PolicyKey>, threshold: number) {
    if (key !== ownKey) throw new TypeError("a PolicyTrust comes from PolicyTrust.of only");
    this.keys = keys;
    this.threshold = threshold;
  }

  /** @throws POLICY_KEY_INVALID  no key, one twice, one of an authority, or a threshold that cannot be met or is none */
  static of({ keys, threshold, authorities = [] }: PolicyTrustOptions): PolicyTrust {
    const byId = new Map(keys.map((key) => [key.id, key]));
    if (byId.size !== keys.length) throw invalid("a key is given twice");
    if (keys.length === 0 || keys.length > POLICY_KEYS_MAX) throw invalid("no key, or too many");
    if (!Number.isInteger(threshold) || threshold < 1 || threshold > keys.length) {
      throw invalid("the threshold is not between 1 and the number of keys");
    }
    for (const { id, spki } of keys) {
      if (authorities.some((authority) => isEqual(authority, spki))) {
        throw invalid(`${id.slice(0, 16)} also signs identities`);
      }
    }
    return new PolicyTrust(ownKey, byId, threshold);
  }
}

async function keyOf(spki: Uint8Array<ArrayBuffer>): Promise<PolicyKey> {
  const algorithm = (["Ed25519", "ECDSA P-256"] as const).find((name) => {
    const { head, length } = SPKI_FORMS[name];
    const start = spki.subarray(0, head.length / 2);
    return spki.length === length && formatHex(start) === head;
  });
  if (algorithm === undefined) throw invalid("neither Ed25519 nor ECDSA on P-256");
  try {
    await crypto.subtle.importKey("spki", spki, importOf(algorithm), false, ["verify"]);
  } catch (cause) {
    throw invalid("a public key is no point of its curve", cause);
  }
  return { id: await sha256Hex(spki), algorithm, spki };
}

async function importPrivate(
  pkcs8: Uint8Array<ArrayBuffer>,
): Promise<{ algorithm: PolicyAlgorithm; privateKey: CryptoKey }> {
  let cause: unknown;
  for (const algorithm of ["Ed25519", "ECDSA P-256"] as const) {
    try {
      const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, importOf(algorithm), true, [
        "sign",
      ]);
      return { algorithm, privateKey };
    } catch (error) {
      cause = error;
    }
  }
  throw invalid("the private key is neither Ed25519 nor ECDSA on P-256", cause);
}

function importOf(algorithm: PolicyAlgorithm): { name: string; namedCurve?: string } {
  return algorithm === "Ed25519" ? { name: "Ed25519" } : { name: "ECDSA", namedCurve: "P-256" };
}

function signOf(algorithm: PolicyAlgorithm): { name: string; hash?: string } {
  return algorithm === "Ed25519" ? { name: "Ed25519" } : { name: "ECDSA", hash: "SHA-256" };
}

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function derOf(label: string, pem: string): readonly Uint8Array<ArrayBuffer>[] {
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z ]+)-----([^-]*)-----END ([A-Z ]+)-----/g)];
  if (blocks.length > POLICY_KEYS_MAX) throw invalid("too many keys");
  return blocks.map(([, begin, body = "", end]) => {
    const text = body.replaceAll(/\s/g, "");
    if (begin !== label || end !== label || !BASE64.test(text) || text.length > 4096) {
      throw invalid(`not a PEM block of a ${label}`);
    }
    try {
      return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    } catch (cause) {
      throw invalid("a PEM block is no base64", cause);
    }
  });
}

function pemOf(label: string, der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function invalid(reason: string, cause?: unknown): Error {
  return refuse("POLICY_KEY_INVALID", `no policy key: ${reason}`, {}, cause);
}
