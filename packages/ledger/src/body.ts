import { BonafideError } from "@bonafide/errors";
import { concatBytes } from "./bytes.ts";
import { LEDGER_ERRORS } from "./errors.ts";
import { freshSalt, sha256 } from "./hash.ts";
import { HASH_BYTES, PART_BYTES_MAX, SALT_BYTES } from "./limits.ts";

/** A part as kept, `salt (16 bytes) || protobuf`, or, once erased, only its 32-byte hash. */
export type BodyPart = { readonly salted: Uint8Array } | { readonly erasedHash: Uint8Array };

/** The two salted parts beside a leaf: who did it and why, and the object. Each can be erased without the other. */
export interface Body {
  readonly meta: BodyPart;
  readonly object: BodyPart;
}

const FLAG_META_ERASED = 1;
const FLAG_OBJECT_ERASED = 2;
const FRAME_BYTES = 5;

/**
 * Puts a fresh salt before a part's protobuf bytes. The salt is erased with the part: SPIFFE IDs can be guessed, so a
 * commitment whose salt outlived the body would give the name back.
 *
 * @throws BODY_MALFORMED  more than 1 MiB
 */
export function saltPart(bytes: Uint8Array): BodyPart {
  if (bytes.length > PART_BYTES_MAX) throw malformed("a part is larger than 1 MiB");
  return { salted: concatBytes(freshSalt(), bytes) };
}

/** SHA-256(salt || bytes), also of a part that was erased. */
export function partHash(part: BodyPart): Uint8Array {
  return "salted" in part ? sha256(part.salted) : part.erasedHash;
}

/** What a leaf commits to: SHA-256(P(meta) || P(object)). Erasing a part does not change it. */
export function commit(body: Body): Uint8Array {
  return sha256(concatBytes(partHash(body.meta), partHash(body.object)));
}

/** The part with its salt and bytes forgotten; idempotent. */
export function erasePart(part: BodyPart): BodyPart {
  return { erasedHash: partHash(part) };
}

/** The protobuf bytes of a kept part; undefined once erased. */
export function partBytes(part: BodyPart): Uint8Array | undefined {
  return "salted" in part ? part.salted.subarray(SALT_BYTES) : undefined;
}

/** The body column: flags u8 (1 meta erased, 2 object erased) || length of meta u32 || meta || object. */
export function encodeBody(body: Body): Uint8Array {
  const meta = rawPart(body.meta);
  const object = rawPart(body.object);
  const out = new Uint8Array(FRAME_BYTES + meta.length + object.length);
  out[0] =
    ("salted" in body.meta ? 0 : FLAG_META_ERASED) |
    ("salted" in body.object ? 0 : FLAG_OBJECT_ERASED);
  new DataView(out.buffer).setUint32(1, meta.length);
  out.set(meta, FRAME_BYTES);
  out.set(object, FRAME_BYTES + meta.length);
  return out;
}

/**
 * Reads {@link encodeBody}; the parts are views of `bytes`.
 *
 * @throws BODY_MALFORMED
 */
export function decodeBody(bytes: Uint8Array): Body {
  if (bytes.length < FRAME_BYTES) throw malformed("a body is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint8(0);
  const end = FRAME_BYTES + view.getUint32(1);
  if (flags > (FLAG_META_ERASED | FLAG_OBJECT_ERASED) || end > bytes.length) {
    throw malformed("a body's frame is wrong");
  }
  return {
    meta: readPart(bytes.subarray(FRAME_BYTES, end), (flags & FLAG_META_ERASED) !== 0),
    object: readPart(bytes.subarray(end), (flags & FLAG_OBJECT_ERASED) !== 0),
  };
}

function rawPart(part: BodyPart): Uint8Array {
  return "salted" in part ? part.salted : part.erasedHash;
}

function readPart(raw: Uint8Array, erased: boolean): BodyPart {
  if (erased) {
    if (raw.length !== HASH_BYTES) throw malformed("an erased part is not a hash");
    return { erasedHash: raw };
  }
  if (raw.length < SALT_BYTES || raw.length > SALT_BYTES + PART_BYTES_MAX) {
    throw malformed("a part has no salt or is too large");
  }
  return { salted: raw };
}

function malformed(why: string): BonafideError {
  return new BonafideError(LEDGER_ERRORS, "BODY_MALFORMED", why);
}
