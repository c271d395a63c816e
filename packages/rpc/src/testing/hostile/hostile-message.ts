import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { mutated, type Next, oneOf, someBytes } from "./random-numbers.ts";

const DEPTH_MAX = 3;
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/**
 * A message by its descriptor: fields of the right number and, mostly, of the right wire type, with values that a sender
 * of good will would not choose; now and then with defects in its bytes.
 */
export function hostileMessage(next: Next, message: DescMessage): Buffer {
  const bytes = encode(next, message, 0);
  return next(3) === 0 ? mutated(next, bytes) : bytes;
}

function encode(next: Next, message: DescMessage, depth: number): Buffer {
  const parts: Buffer[] = [];
  for (const field of message.fields) {
    for (let count = next(4) === 0 ? 0 : 1 + (next(5) === 0 ? next(5) : 0); count > 0; count--) {
      parts.push(encodeField(next, field, depth));
    }
  }
  if (next(12) === 0)
    parts.push(tagged(1 + next(5000), BYTES, lengthOf(someBytes(next, next(64)))));
  return Buffer.concat(parts);
}

function encodeField(next: Next, field: DescField, depth: number): Buffer {
  const { number } = field;
  if (next(25) === 0) return tagged(number, oneOf(next, [0, 1, 2, 3, 4, 5, 7]), someBytes(next, 9));
  switch (wireTypeOf(field)) {
    case VARINT:
      return tagged(number, VARINT, varint(oneOf(next, INTEGERS)));
    case FIXED64:
      return tagged(number, FIXED64, someBytes(next, 8));
    case FIXED32:
      return tagged(number, FIXED32, someBytes(next, 4));
    default:
      return tagged(number, BYTES, lengthOf(payload(next, field, depth)));
  }
}

function payload(next: Next, field: DescField, depth: number): Buffer {
  if (field.message !== undefined && depth < DEPTH_MAX) {
    return encode(next, field.message, depth + 1);
  }
  const text = oneOf(next, TEXTS);
  return next(3) === 0 ? someBytes(next, next(200)) : Buffer.from(text);
}

function wireTypeOf(field: DescField): number {
  if (field.fieldKind === "enum") return VARINT;
  if (field.fieldKind !== "scalar") return BYTES;
  // Numbers of google.protobuf.FieldDescriptorProto.Type.
  if ([1, 6, 16].includes(field.scalar)) return FIXED64;
  if ([2, 7, 15].includes(field.scalar)) return FIXED32;
  return [9, 12].includes(field.scalar) ? BYTES : VARINT;
}

function tagged(number: number, wireType: number, rest: Buffer): Buffer {
  return Buffer.concat([varint(BigInt(number * 8 + wireType)), rest]);
}

function lengthOf(bytes: Buffer): Buffer {
  return Buffer.concat([varint(BigInt(bytes.length)), bytes]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, value);
  do {
    bytes.push(Number(left & 127n) | (left > 127n ? 128 : 0));
    left >>= 7n;
  } while (left > 0n);
  return Buffer.from(bytes);
}

const INTEGERS: readonly [bigint, ...bigint[]] = [
  0n,
  1n,
  2n,
  600n,
  -1n,
  2n ** 31n - 1n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n,
  -(2n ** 62n),
];

const TEXTS: readonly [string, ...string[]] = [
  "",
  "a",
  "example.org",
  "/path",
  "spiffe://example.org/a",
  "spiffe://example.org/../b",
  "unix",
  "uid:0",
  "\0",
  "\u{1f511}".repeat(40),
  "x".repeat(5000),
  "bonafide.testing.v1.Echo",
  "../../etc/passwd",
  "SELECT 1; --",
  "1.0.0",
  "en-\ud7ff",
];
