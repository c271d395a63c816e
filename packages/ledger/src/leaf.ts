import { BonafideError } from "@bonafide/errors";
import { LEDGER_ERRORS } from "./errors.ts";
import { EPOCH_MAX, HASH_BYTES, KEY_BYTES, LEAF_BYTES, N_MAX } from "./limits.ts";

const FORMAT = 1;
const FLAG_TOMBSTONE = 1;
const FLAG_REAPPENDED = 2;
const UINT32 = 2 ** 32;

/** The header of one after-image. All that could name a person or a workload is in the body beside it. */
export interface Leaf {
  /** 0..65535, see `KINDS`; a number that is not there comes from a newer version. */
  readonly kind: number;
  /** Lowest schema of the kind that a reader must know, 0..255; 0: may be skipped if the kind is unknown. */
  readonly needs: number;
  /** The object is removed; the body says who did it and why. */
  readonly tombstone: boolean;
  /** A leaf that the store had lost, written again. */
  readonly reappended: boolean;
  /** 0..131,071; 0 only for the first leaf of a ledger. */
  readonly epoch: number;
  /** Size of the log once this leaf is in it, 1..2^36-1. The RFC 6962 index is n - 1. */
  readonly n: number;
  /** Epoch ms on the writer's clock; for people, never for order. */
  readonly time: number;
  /** n of the leaf before this one of the same key, 0 for none. */
  readonly prev: number;
  /** 16 bytes, see `objectKey`. */
  readonly key: Uint8Array;
  /** 32 bytes, see `commit`. */
  readonly commitment: Uint8Array;
}

/**
 * Encodes a leaf as the 80 bytes that are hashed and stored: fixed offsets, big endian.
 *
 * @throws LEDGER_NUMBER_RANGE  epoch or n out of range
 * @throws LEAF_MALFORMED       any other field out of range
 */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  if (!isWithin(leaf.epoch, 0, EPOCH_MAX) || !isWithin(leaf.n, 1, N_MAX)) {
    throw new BonafideError(LEDGER_ERRORS, "LEDGER_NUMBER_RANGE", "epoch or n is out of range");
  }
  const right =
    isWithin(leaf.kind, 0, 0xffff) &&
    isWithin(leaf.needs, 0, 0xff) &&
    isWithin(leaf.time, 0, Number.MAX_SAFE_INTEGER) &&
    isWithin(leaf.prev, 0, leaf.n - 1) &&
    leaf.key.length === KEY_BYTES &&
    leaf.commitment.length === HASH_BYTES;
  if (!right) throw malformed();
  const out = new Uint8Array(LEAF_BYTES);
  const view = new DataView(out.buffer);
  out[0] = FORMAT;
  out[1] = (leaf.tombstone ? FLAG_TOMBSTONE : 0) | (leaf.reappended ? FLAG_REAPPENDED : 0);
  view.setUint16(2, leaf.kind);
  out[4] = leaf.needs;
  out[5] = leaf.epoch >> 16;
  view.setUint16(6, leaf.epoch & 0xffff);
  setUint64(view, 8, leaf.n);
  setUint64(view, 16, leaf.time);
  setUint64(view, 24, leaf.prev);
  out.set(leaf.key, 32);
  out.set(leaf.commitment, 48);
  return out;
}

/**
 * Decodes and checks a leaf. Exactly one byte string decodes to each value. `key` and `commitment` are views of `bytes`.
 *
 * @throws LEAF_FORMAT_UNKNOWN  another format: stop, do not guess
 * @throws LEAF_MALFORMED       not 80 bytes, an unknown flag, or a number out of range
 */
export function decodeLeaf(bytes: Uint8Array): Leaf {
  if (bytes.length > 0 && bytes[0] !== FORMAT) {
    throw new BonafideError(
      LEDGER_ERRORS,
      "LEAF_FORMAT_UNKNOWN",
      `leaf format ${bytes[0]} is not known to this version`,
    );
  }
  if (bytes.length !== LEAF_BYTES) throw malformed();
  const view = new DataView(bytes.buffer, bytes.byteOffset, LEAF_BYTES);
  const flags = view.getUint8(1);
  const leaf: Leaf = {
    kind: view.getUint16(2),
    needs: view.getUint8(4),
    tombstone: (flags & FLAG_TOMBSTONE) !== 0,
    reappended: (flags & FLAG_REAPPENDED) !== 0,
    epoch: view.getUint8(5) * 0x1_0000 + view.getUint16(6),
    n: uint64(view, 8),
    time: uint64(view, 16),
    prev: uint64(view, 24),
    key: bytes.subarray(32, 48),
    commitment: bytes.subarray(48, 80),
  };
  const right =
    flags <= (FLAG_TOMBSTONE | FLAG_REAPPENDED) &&
    leaf.epoch <= EPOCH_MAX &&
    isWithin(leaf.n, 1, N_MAX) &&
    leaf.time <= Number.MAX_SAFE_INTEGER &&
    leaf.prev < leaf.n;
  if (!right) throw malformed();
  return leaf;
}

function isWithin(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

function malformed(): BonafideError {
  return new BonafideError(LEDGER_ERRORS, "LEAF_MALFORMED", "not a leaf of format 1");
}

function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / UINT32));
  view.setUint32(at + 4, value % UINT32);
}

/** Above 2^53 the result is rounded, but never to a safe integer, so the range checks still refuse it. */
function uint64(view: DataView, at: number): number {
  return view.getUint32(at) * UINT32 + view.getUint32(at + 4);
}
