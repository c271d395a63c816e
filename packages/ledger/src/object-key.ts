import { hmacSha256 } from "./hash.ts";
import { KEY_BYTES } from "./limits.ts";

const encoder = new TextEncoder();

/**
 * The stable pseudonym of an object: HMAC-SHA256(secret, kind u16 || natural key), cut to 16 bytes.
 *
 * The secret lies in the store's head row and in each backup, never in a leaf, an export or a log: without it nobody
 * can try names against a key. It is keyed by name and not random, so that a ban that is re-appended after a rewind
 * hits the node that attested again meanwhile.
 *
 * @param secret  32 bytes.
 * @param naturalKey  The object's name within its kind, see `naturalKeyOf`.
 */
export function objectKey(secret: Uint8Array, kind: number, naturalKey: string): Uint8Array {
  const prefix = new Uint8Array([kind >> 8, kind & 0xff]);
  return hmacSha256(secret, prefix, encoder.encode(naturalKey)).slice(0, KEY_BYTES);
}

/** A map key for (kind, key): 18 bytes as latin1, half the memory of hexadecimal. */
export function objectName(kind: number, key: Uint8Array): string {
  return String.fromCharCode(kind, ...key);
}
