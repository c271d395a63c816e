import type { BigIntStats } from "node:fs";
import { open } from "node:fs/promises";
import { refuse } from "../core/bundle/refuse.ts";

/** A file as it was at one look. */
export interface ReadFile {
  readonly bytes: Uint8Array;
  /** Differs as soon as the file was replaced or written to; taken before reading. */
  readonly mark: string;
}

/**
 * Reads a file whole, but never more than `max` bytes.
 *
 * @param knownMark  If the file still has this mark, nothing is read.
 * @returns `undefined` if it has `knownMark`
 * @throws BUNDLE_UNREADABLE, BUNDLE_TOO_LARGE
 */
export async function readBounded(
  path: string,
  max: number,
  knownMark?: string,
): Promise<ReadFile | undefined> {
  try {
    await using file = await open(path, "r");
    const stats = await file.stat({ bigint: true });
    const mark = markOf(stats);
    if (mark === knownMark) return undefined;
    // Before anything is allocated; a file that grows meanwhile is cut here and fails its signatures.
    if (stats.size > max) throw refuse("BUNDLE_TOO_LARGE", `${path} is too large`);
    const bytes = new Uint8Array(Number(stats.size));
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return { bytes: bytes.subarray(0, length), mark };
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "BUNDLE_TOO_LARGE") throw cause;
    throw refuse("BUNDLE_UNREADABLE", `${path} cannot be read`, { path }, cause);
  }
}

function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}
