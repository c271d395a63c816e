import { createHash } from "node:crypto";

/**
 * SHA-256 over a set of entries, as bonafide.sync.v1 defines it: in the order of their ids as bytes, of each the length
 * of the id (u32, big endian), the id and the revision (i64, big endian). Of no entries it is that
 * of no bytes; an empty one asks for everything.
 */
export function entriesDigest(
  entries: Iterable<{ readonly id: string; readonly revision: bigint }>,
): Uint8Array {
  const rows = [...entries].map(({ id, revision }) => ({ id: Buffer.from(id, "utf8"), revision }));
  rows.sort((a, b) => Buffer.compare(a.id, b.id));
  const hash = createHash("sha256");
  const length = Buffer.alloc(4);
  const number = Buffer.alloc(8);
  for (const { id, revision } of rows) {
    length.writeUInt32BE(id.length);
    number.writeBigInt64BE(revision);
    hash.update(length).update(id).update(number);
  }
  return new Uint8Array(hash.digest());
}
