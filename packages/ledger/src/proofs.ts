import { BonafideError } from "@bonafide/errors";
import { equalBytes } from "./bytes.ts";
import { LEDGER_ERRORS } from "./errors.ts";
import { decompose, EMPTY_ROOT, nodeHash, type SubtreeRef } from "./tree-hash.ts";

/** A run of leaves, [from, to), whose hash a proof needs. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** That a leaf is in a tree. */
export interface InclusionProof {
  /** RFC 6962 index of the leaf, that is n - 1. */
  readonly index: number;
  readonly size: number;
  readonly hash: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** That one tree is a prefix of another. */
export interface ConsistencyProof {
  readonly first: number;
  readonly second: number;
  readonly firstRoot: Uint8Array;
  readonly secondRoot: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/**
 * Ranges whose hashes prove that leaf `index` is in a tree of `size` leaves, leaf side first.
 *
 * @throws PROOF_RANGE
 * @spec RFC 6962 §2.1.1
 */
export function inclusionPath(index: number, size: number): LeafRange[] {
  if (!(index >= 0 && index < size)) throw proofRange();
  const path: LeafRange[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + leftSize(to - from);
    if (index < middle) {
      path.push({ from: middle, to });
      to = middle;
    } else {
      path.push({ from, to: middle });
      from = middle;
    }
  }
  return path.toReversed();
}

/**
 * Ranges whose hashes prove that the tree of `first` leaves is a prefix of that of `second`.
 *
 * @throws PROOF_RANGE
 * @spec RFC 6962 §2.1.2
 */
export function consistencyPath(first: number, second: number): LeafRange[] {
  if (!(first >= 0 && first <= second)) throw proofRange();
  if (first === 0 || first === second) return [];
  const path: LeafRange[] = [];
  let from = 0;
  let to = second;
  while (to !== first) {
    const middle = from + leftSize(to - from);
    if (first <= middle) {
      path.push({ from: middle, to });
      to = middle;
    } else {
      path.push({ from, to: middle });
      from = middle;
    }
  }
  if (from !== 0) path.push({ from, to });
  return path.toReversed();
}

/** Hash of a run of leaves out of complete subtrees. */
export function rangeHash(range: LeafRange, subtree: (ref: SubtreeRef) => Uint8Array): Uint8Array {
  return decompose(range.from, range.to)
    .map(subtree)
    .reduceRight((right, left) => nodeHash(left, right));
}

/**
 * Whether the proof holds.
 *
 * @spec RFC 9162 §2.1.3.2
 */
export function verifyInclusion(proof: InclusionProof): boolean {
  if (!(proof.index >= 0 && proof.index < proof.size)) return false;
  const walk = new Walk(proof.index, proof.size - 1);
  let hashed = proof.hash;
  for (const step of proof.path) {
    const side = walk.next();
    if (side === "past-the-root") return false;
    hashed = side === "left" ? nodeHash(step, hashed) : nodeHash(hashed, step);
  }
  return walk.atRoot && equalBytes(hashed, proof.root);
}

/**
 * Whether the proof holds.
 *
 * @spec RFC 9162 §2.1.4.2
 */
export function verifyConsistency(proof: ConsistencyProof): boolean {
  const { first, second, firstRoot, secondRoot } = proof;
  if (!(first >= 0 && first <= second)) return false;
  if (first === second) return proof.path.length === 0 && equalBytes(firstRoot, secondRoot);
  if (first === 0) return proof.path.length === 0 && equalBytes(firstRoot, EMPTY_ROOT);
  const isPower = Number.isInteger(Math.log2(first));
  const [start, ...path] = isPower ? [firstRoot, ...proof.path] : proof.path;
  if (start === undefined) return false;
  const walk = Walk.aboveFullSubtrees(first - 1, second - 1);
  let one = start;
  let two = start;
  for (const step of path) {
    const side = walk.next();
    if (side === "past-the-root") return false;
    if (side === "left") {
      one = nodeHash(step, one);
      two = nodeHash(step, two);
    } else two = nodeHash(two, step);
  }
  return walk.atRoot && equalBytes(one, firstRoot) && equalBytes(two, secondRoot);
}

/** The climb of RFC 9162 from a leaf (`fn`) under the last leaf (`sn`) to the root. */
class Walk {
  #fn: number;
  #sn: number;

  constructor(fn: number, sn: number) {
    this.#fn = fn;
    this.#sn = sn;
  }

  static aboveFullSubtrees(fn: number, sn: number): Walk {
    const walk = new Walk(fn, sn);
    while (walk.#fn % 2 === 1) walk.#up();
    return walk;
  }

  get atRoot(): boolean {
    return this.#sn === 0;
  }

  /** On which side the next hash of the path stands. */
  next(): "left" | "right" | "past-the-root" {
    if (this.#sn === 0) return "past-the-root";
    const left = this.#fn % 2 === 1 || this.#fn === this.#sn;
    if (left) while (this.#fn % 2 === 0 && this.#fn !== 0) this.#up();
    this.#up();
    return left ? "left" : "right";
  }

  #up(): void {
    this.#fn = Math.floor(this.#fn / 2);
    this.#sn = Math.floor(this.#sn / 2);
  }
}

/** The largest power of two below `size`. */
function leftSize(size: number): number {
  return 2 ** Math.ceil(Math.log2(size) - 1);
}

function proofRange(): BonafideError {
  return new BonafideError(LEDGER_ERRORS, "PROOF_RANGE", "no such leaf or size in the tree");
}
