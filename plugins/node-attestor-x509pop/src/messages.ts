import { MESSAGE_BYTES_MAX, NONCE_BYTES, SIGNATURE_BYTES_MAX } from "./limits.ts";

/** The kinds of key that a challenge can be for. */
export type KeyKind = "rsa" | "ecdsa";

/** What the server asks: sign this nonce, together with one of your own. */
export interface Challenge {
  readonly kind: KeyKind;
  readonly nonce: Uint8Array;
}

/** What the node answers. */
export type Response =
  | { readonly kind: "rsa"; readonly nonce: Uint8Array; readonly signature: Uint8Array }
  | {
      readonly kind: "ecdsa";
      readonly nonce: Uint8Array;
      /** Big endian, without leading zeros or with them. */
      readonly r: Uint8Array;
      readonly s: Uint8Array;
    };

// JSON, with bytes in base64 and the kind that is not meant as null: as Go writes SPIRE's own structures. Everything
// here answers undefined to what is malformed; only the caller knows whose mistake that is.

/** The certificates of a node's first message, leaf first. */
export function formatEvidence(chain: readonly Uint8Array[]): Uint8Array {
  return toJson({ certificates: chain.map(base64) });
}

/** Reads {@link formatEvidence}. @param countMax  Certificates at most */
export function parseEvidence(
  bytes: Uint8Array,
  countMax: number,
): readonly Uint8Array[] | undefined {
  const list = fieldOf(fromJson(bytes), "certificates");
  if (!Array.isArray(list) || list.length === 0 || list.length > countMax) return undefined;
  const chain = list.map((each: unknown) => bytesOf(each, MESSAGE_BYTES_MAX));
  return chain.every((each) => each !== undefined) ? chain : undefined;
}

/** A challenge as the wire has it. */
export function formatChallenge({ kind, nonce }: Challenge): Uint8Array {
  const challenge = { nonce: base64(nonce) };
  return toJson({
    rsa_signature: kind === "rsa" ? challenge : null,
    ecdsa_signature: kind === "ecdsa" ? challenge : null,
  });
}

/** Reads {@link formatChallenge}; one kind only. */
export function parseChallenge(bytes: Uint8Array): Challenge | undefined {
  const only = onlyKind(fromJson(bytes));
  const nonce = only && nonceOf(only.value);
  return only && nonce && { kind: only.kind, nonce };
}

/** A response as the wire has it. */
export function formatResponse(response: Response): Uint8Array {
  const nonce = base64(response.nonce);
  if (response.kind === "rsa") {
    return toJson({
      rsa_signature: { nonce, signature: base64(response.signature) },
      ecdsa_signature: null,
    });
  }
  const { r, s } = response;
  return toJson({ rsa_signature: null, ecdsa_signature: { nonce, r: base64(r), s: base64(s) } });
}

/** Reads {@link formatResponse}; one kind only. */
export function parseResponse(bytes: Uint8Array): Response | undefined {
  const only = onlyKind(fromJson(bytes));
  const nonce = only && nonceOf(only.value);
  if (only === undefined || nonce === undefined) return undefined;
  const part = (name: string): Uint8Array | undefined =>
    bytesOf(fieldOf(only.value, name), SIGNATURE_BYTES_MAX);
  if (only.kind === "rsa") {
    const signature = part("signature");
    return signature && { kind: "rsa", nonce, signature };
  }
  const [r, s] = [part("r"), part("s")];
  return r && s && { kind: "ecdsa", nonce, r, s };
}

function onlyKind(
  message: unknown,
): { readonly kind: KeyKind; readonly value: unknown } | undefined {
  const rsa = fieldOf(message, "rsa_signature") ?? undefined;
  const ecdsa = fieldOf(message, "ecdsa_signature") ?? undefined;
  if ((rsa === undefined) === (ecdsa === undefined)) return undefined;
  return rsa === undefined ? { kind: "ecdsa", value: ecdsa } : { kind: "rsa", value: rsa };
}

function nonceOf(value: unknown): Uint8Array | undefined {
  const nonce = bytesOf(fieldOf(value, "nonce"), NONCE_BYTES);
  return nonce?.length === NONCE_BYTES ? nonce : undefined;
}

function bytesOf(value: unknown, bytesMax: number): Uint8Array | undefined {
  if (typeof value !== "string" || value.length > Math.ceil(bytesMax / 3) * 4) return undefined;
  const bytes = Buffer.from(value, "base64");
  // Node passes over what is no base64; only what it writes itself is taken.
  if (bytes.length === 0 || bytes.toString("base64") !== value) return undefined;
  return bytes.length > bytesMax ? undefined : new Uint8Array(bytes);
}

function fieldOf(value: unknown, name: string): unknown {
  const isObject = typeof value === "object" && value !== null && Object.hasOwn(value, name);
  return isObject ? Reflect.get(value, name) : undefined;
}

function fromJson(bytes: Uint8Array): unknown {
  if (bytes.length > MESSAGE_BYTES_MAX) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function toJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
