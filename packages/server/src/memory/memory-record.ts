import { crc32 } from "node:zlib";
import { HASH_BYTES, type Incarnation, LEAF_BYTES, type StateName } from "@bonafide/ledger";
import type { StoredLeaf } from "@bonafide/plugin-api";

/** One record of the memory file. A batch is its leaves, then the name of the state that they lead to. */
export type MemoryRecord =
  | { readonly kind: "leaf"; readonly stored: StoredLeaf }
  | {
      readonly kind: "name";
      readonly name: StateName;
      readonly incarnation: Incarnation;
      /** 16 bytes. */
      readonly ledgerId: Uint8Array;
      /** When it was written, epoch ms. */
      readonly atMs: number;
    }
  /** An epoch that this server chose, noted before it is opened. */
  | { readonly kind: "epoch"; readonly epoch: number };

const TYPES = { leaf: 1, name: 2, epoch: 3 } as const;
/** Frame: length of the payload u32, CRC-32 of the payload u32. */
const FRAME_BYTES = 8;
const NAME_BYTES = 1 + 8 + 4 + 8 + HASH_BYTES + 16 + 4;
/** Larger than any leaf with its body. */
const PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;

/** A record as bytes, big endian. */
export function encodeRecord(record: MemoryRecord): Uint8Array {
  const payload = encodePayload(record);
  const out = Buffer.alloc(FRAME_BYTES + payload.length);
  out.writeUInt32BE(payload.length, 0);
  out.writeUInt32BE(crc32(payload), 4);
  out.set(payload, FRAME_BYTES);
  return out;
}

/** The record at an offset, and where the next one is; undefined: cut off or damaged. */
export function decodeRecord(
  bytes: Buffer,
  at: number,
): { readonly record: MemoryRecord; readonly next: number } | undefined {
  if (at + FRAME_BYTES > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at);
  const next = at + FRAME_BYTES + length;
  if (length < 1 || length > PAYLOAD_BYTES_MAX || next > bytes.length) return undefined;
  const payload = bytes.subarray(at + FRAME_BYTES, next);
  if (bytes.readUInt32BE(at + 4) !== crc32(payload)) return undefined;
  const record = decodePayload(payload);
  return record === undefined ? undefined : { record, next };
}

function encodePayload(record: MemoryRecord): Uint8Array {
  switch (record.kind) {
    case "leaf":
      return Buffer.concat([Buffer.of(TYPES.leaf), record.stored.leaf, record.stored.body]);
    case "name": {
      const { name, incarnation, ledgerId, atMs } = record;
      const system = Buffer.from(incarnation.system, "utf8");
      const out = Buffer.alloc(NAME_BYTES + system.length);
      out[0] = TYPES.name;
      out.writeBigUInt64BE(BigInt(atMs), 1);
      out.writeUInt32BE(name.epoch, 9);
      out.writeBigUInt64BE(BigInt(name.n), 13);
      out.set(name.root, 21);
      out.set(ledgerId, 53);
      out.writeUInt32BE(incarnation.timeline, 69);
      out.set(system, NAME_BYTES);
      return out;
    }
    default: {
      const out = Buffer.alloc(5);
      out[0] = TYPES.epoch;
      out.writeUInt32BE(record.epoch, 1);
      return out;
    }
  }
}

function decodePayload(payload: Buffer): MemoryRecord | undefined {
  const type = payload[0];
  if (type === TYPES.leaf && payload.length > 1 + LEAF_BYTES) {
    const leaf = Uint8Array.from(payload.subarray(1, 1 + LEAF_BYTES));
    const body = Uint8Array.from(payload.subarray(1 + LEAF_BYTES));
    return { kind: "leaf", stored: { leaf, body } };
  }
  if (type === TYPES.name && payload.length > NAME_BYTES) {
    return {
      kind: "name",
      atMs: Number(payload.readBigUInt64BE(1)),
      name: {
        epoch: payload.readUInt32BE(9),
        n: Number(payload.readBigUInt64BE(13)),
        root: Uint8Array.from(payload.subarray(21, 53)),
      },
      ledgerId: Uint8Array.from(payload.subarray(53, 69)),
      incarnation: {
        timeline: payload.readUInt32BE(69),
        system: payload.toString("utf8", NAME_BYTES),
      },
    };
  }
  if (type === TYPES.epoch && payload.length === 5) {
    return { kind: "epoch", epoch: payload.readUInt32BE(1) };
  }
  return undefined;
}
