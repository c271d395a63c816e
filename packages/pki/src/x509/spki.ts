import type { DerReader } from "../der/der-reader.ts";
import { TAG } from "../der/tags.ts";

/** Reads a SubjectPublicKeyInfo without judging the key; returns the whole element. */
export function readSpki(parent: DerReader): Uint8Array {
  const start = parent.offset;
  const reader = parent.enter(TAG.sequence);
  const algorithm = reader.enter(TAG.sequence);
  algorithm.content(TAG.oid);
  if (algorithm.more) algorithm.element(algorithm.peek());
  algorithm.finish();
  reader.octetBits();
  reader.finish();
  return parent.bytes.subarray(start, parent.offset);
}
