import { decompose, EMPTY_ROOT, nodeHash, type SubtreeRef } from "./tree-hash.ts";

/** The right edge of a tree: at most 36 hashes, enough to append and to know the root. */
export class CompactRange {
  #size = 0;
  #stack: Uint8Array[] = [];

  /** Rebuilds the edge of a tree of `size` leaves from its complete subtrees. */
  static from(size: number, subtree: (ref: SubtreeRef) => Uint8Array): CompactRange {
    const range = new CompactRange();
    range.#size = size;
    range.#stack = decompose(0, size).map(subtree);
    return range;
  }

  /** Leaves in the tree. */
  get size(): number {
    return this.#size;
  }

  /** A copy that can be thrown away when a batch fails. */
  clone(): CompactRange {
    const copy = new CompactRange();
    copy.#size = this.#size;
    copy.#stack = this.#stack.slice();
    return copy;
  }

  /** Adds one leaf hash; `onSubtree` hears of each subtree that became complete, small ones first. */
  append(hashOfLeaf: Uint8Array, onSubtree?: (ref: SubtreeRef, hash: Uint8Array) => void): void {
    let top = hashOfLeaf;
    let level = 0;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#stack.pop();
      if (left === undefined) throw new RangeError("the edge has fewer hashes than its size says");
      top = nodeHash(left, top);
      level += 1;
      onSubtree?.({ level, index: Math.floor(this.#size / 2 ** level) }, top);
    }
    this.#stack.push(top);
    this.#size += 1;
  }

  /** The RFC 6962 root of the leaves so far. */
  root(): Uint8Array {
    return this.#stack.length === 0
      ? EMPTY_ROOT
      : this.#stack.reduceRight((right, left) => nodeHash(left, right));
  }
}
