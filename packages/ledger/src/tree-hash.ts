import { sha256 } from "./hash.ts";
import { HASH_BYTES } from "./limits.ts";

/** Root of the empty tree: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0));

/**
 * SHA-256(0x00 || leaf).
 *
 * @spec RFC 6962 §2.1
 */
export function leafHash(leaf: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + leaf.length);
  input.set(leaf, 1);
  return sha256(input);
}

const nodeInput = new Uint8Array(1 + 2 * HASH_BYTES);

/**
 * SHA-256(0x01 || left || right).
 *
 * @spec RFC 6962 §2.1
 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput[0] = 1;
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

/** A complete subtree: leaves [index * 2^level, (index + 1) * 2^level). */
export interface SubtreeRef {
  readonly level: number;
  readonly index: number;
}

/** Interior hashes that a store keeps: the tops of full tiles of 256, one per 256 leaves, per 65,536, and so on. */
export function isStoredLevel(level: number): boolean {
  return level > 0 && level % 8 === 0;
}

/** Complete subtrees that cover [from, to), left to right; `from` is where a subtree of the tree starts. */
export function decompose(from: number, to: number): SubtreeRef[] {
  const parts: SubtreeRef[] = [];
  for (let at = from; at < to;) {
    let level = Math.floor(Math.log2(to - at));
    while (at % 2 ** level !== 0) level -= 1;
    parts.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return parts;
}

/** Hash of a subtree out of leaf hashes and stored tile tops; undefined from `stored` means that one is missing. */
export function subtreeFrom(
  stored: (ref: SubtreeRef) => Uint8Array | undefined,
): (ref: SubtreeRef) => Uint8Array {
  const subtree = (ref: SubtreeRef): Uint8Array => {
    const found = stored(ref);
    if (found !== undefined) return found;
    if (ref.level === 0 || isStoredLevel(ref.level)) {
      throw new RangeError(`no hash of subtree ${ref.level}/${ref.index}`);
    }
    const below = { level: ref.level - 1, index: ref.index * 2 };
    return nodeHash(subtree(below), subtree({ ...below, index: below.index + 1 }));
  };
  return subtree;
}
