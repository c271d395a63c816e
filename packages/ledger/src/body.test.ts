import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { EpochSchema } from "@bonafide/proto/bonafide/ledger/v1/meta_pb";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { decodeBody, decodeObject, saltPart } from "./index.ts";
import { PART_BYTES_MAX } from "./limits.ts";

const SALT = 16;
const HASH = 32;

/** A body column as its bytes: flags, length of the first part, both parts. */
function body(flags: number, metaBytes: number, partsBytes: number): Uint8Array {
  const bytes = Buffer.alloc(5 + partsBytes, 7);
  bytes.writeUInt8(flags, 0);
  bytes.writeUInt32BE(metaBytes, 1);
  return bytes;
}

function decode(fields: MessageInitShape<typeof EpochSchema>): unknown {
  return decodeObject("epoch", toBinary(EpochSchema, create(EpochSchema, fields)), { epoch: 2 });
}

function refused(act: () => unknown, what?: string): void {
  assert.throws(act, (error) => isBonafideError(error, "BODY_MALFORMED"), what);
}

test("a body's frame is read to the byte, and refused where it does not add up", () => {
  decodeBody(body(0, SALT, SALT + SALT));
  decodeBody(body(3, HASH, HASH + HASH));
  for (const [what, bytes] of [
    ["cut off", Buffer.alloc(4)],
    ["an unknown flag", body(4, SALT, SALT + SALT)],
    ["a first part longer than all", body(2, SALT + HASH + 1, SALT + HASH)],
    ["a part without its salt", body(0, SALT - 1, SALT + SALT)],
    ["a second part without its salt", body(0, SALT + 1, SALT + SALT)],
    ["an erased part that is no hash", body(1, HASH - 1, HASH + SALT)],
    ["a second one that is no hash", body(2, SALT, SALT + HASH + 1)],
  ] as const) {
    refused(() => decodeBody(bytes), what);
  }
});

test("a part of more than a mebibyte is neither made nor read", () => {
  saltPart(new Uint8Array(PART_BYTES_MAX));
  refused(() => saltPart(new Uint8Array(PART_BYTES_MAX + 1)));
  decodeBody(body(2, SALT + PART_BYTES_MAX, SALT + PART_BYTES_MAX + HASH));
  refused(() => decodeBody(body(2, SALT + PART_BYTES_MAX + 1, SALT + PART_BYTES_MAX + 1 + HASH)));
});

test("an epoch without what names it is refused", () => {
  const incarnation = { system: "s", timeline: 1 };
  const newest = { epoch: 1, n: 1n, root: new Uint8Array(HASH) };
  decode({ incarnation, abandoned: [{ newest }] });
  refused(() => decode({ abandoned: [{ newest }] }));
  refused(() => decode({ incarnation, abandoned: [{}] }));
  // Beyond what a double holds exactly, two places would read the same.
  refused(() => decode({ incarnation, openedAfter: { ...newest, n: 2n ** 53n } }));
});
