/** A leaf that the store lost. */
export interface LostLeaf {
  /** Kind and key of its object. */
  readonly name: string;
  /** Its RFC 6962 hash; of a leaf that was re-appended itself, the hash of the one it stands for. */
  readonly id: string;
  /** Whether it takes something away, see `isDenial`. */
  readonly denies: boolean;
  /** Ids that this leaf itself settled. */
  readonly settles?: readonly string[];
}

/** A leaf to write again, and the ids of all lost leaves of its key, which it settles. */
export interface Mending<L extends LostLeaf> {
  readonly leaf: L;
  readonly settles: readonly string[];
}

/**
 * Decides by key, from its last lost leaf. A denial always comes back: whoever touched the key after the branch did not
 * know of it. Anything else comes back only if nobody touched the key since; otherwise the store's value stands.
 *
 * @param lost      In the order in which they were written.
 * @param branch    n of the last leaf that both sides hold.
 * @param newestOf  n of the store's newest leaf of a name; undefined: none.
 * @param settled   Ids that leaves in the store are or name as settled: another server was here first.
 */
export function planMending<L extends LostLeaf>(
  lost: readonly L[],
  branch: number,
  newestOf: (name: string) => number | undefined,
  settled: ReadonlySet<string>,
): Mending<L>[] {
  const mendings: Mending<L>[] = [];
  for (const leaves of Map.groupBy(lost, (leaf) => leaf.name).values()) {
    const leaf = leaves.at(-1);
    if (leaf === undefined || settled.has(leaf.id)) continue;
    if (!leaf.denies && (newestOf(leaf.name) ?? 0) > branch) continue;
    const settles = leaves.flatMap((one) => [...(one.settles ?? []), one.id]);
    mendings.push({ leaf, settles: [...new Set(settles)] });
  }
  return mendings;
}
