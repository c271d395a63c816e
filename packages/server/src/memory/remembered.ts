import { decodeLeaf, type Incarnation, leafHash, type StateName, toHex } from "@bonafide/ledger";
import type { StoredLeaf } from "@bonafide/plugin-api";
import type { Memory } from "./core/reconcile.ts";
import type { MemoryRecord } from "./memory-record.ts";

/** What a memory file held when it was read: the newest name, and the unbroken run of leaves that leads there. */
export interface Remembered extends Memory {
  readonly name: StateName;
  readonly ledgerId: Uint8Array;
  /** Remembered leaves after n, lowest first. */
  leavesAfter(n: number): StoredLeaf[];
}

interface NamedLeaf {
  readonly n: number;
  readonly stored: StoredLeaf;
}

/** Leaves that a name follows, and that name. */
export interface Recalled {
  readonly leaves: readonly NamedLeaf[];
  readonly name: Extract<MemoryRecord, { readonly kind: "name" }>;
}

/**
 * Plays the records. A leaf that does not follow the one before it begins another branch, which takes the place of what
 * it overlaps. Leaves that no name follows were told to nobody and are passed over.
 */
export function recall(records: Iterable<MemoryRecord>): Recalled | undefined {
  let leaves: NamedLeaf[] = [];
  let told: Recalled | undefined;
  for (const record of records) {
    if (record.kind === "leaf") {
      const { n } = decodeLeaf(record.stored.leaf);
      const first = leaves[0]?.n ?? n;
      const follows = n >= first && n <= first + leaves.length;
      leaves = follows ? leaves : [];
      if (follows) leaves.length = n - first;
      leaves.push({ n, stored: record.stored });
    } else if (record.kind === "name") {
      told = { leaves: leaves.filter(({ n }) => n <= record.name.n), name: record };
    }
  }
  return told;
}

/** What {@link recall} found, for `reconcile`. */
export function rememberedFrom({ leaves, name: told }: Recalled): Remembered {
  const { name, ledgerId } = told;
  const incarnation: Incarnation = told.incarnation;
  const first = leaves[0]?.n ?? name.n + 1;
  // Leaf 1 alone is known to follow nothing; before any other first leaf, something is forgotten.
  const from = first === 1 ? 0 : first;
  return {
    epoch: name.epoch,
    n: name.n,
    name,
    ledgerId,
    incarnation,
    from,
    hashAt: (n) => {
      const found = leaves[n - first];
      return found === undefined ? "" : toHex(leafHash(found.stored.leaf));
    },
    leavesAfter: (n) => leaves.filter((leaf) => leaf.n > n).map(({ stored }) => stored),
  };
}
