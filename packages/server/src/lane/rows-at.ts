import {
  columnsOf,
  decodeBody,
  decodeLeaf,
  decodeObject,
  isObjectKind,
  kindName,
  type Leaf,
  objectName,
  partBytes,
  type ProjectionRow,
  type RowColumns,
  understanding,
} from "@bonafide/ledger";
import type { LedgerStore, ObjectRef, Store, StoredLeaf } from "@bonafide/plugin-api";
import { REPLAY_PAGE } from "./limits.ts";
import { forked } from "./read-leaves.ts";

/** Options of {@link rowsAt}. */
export interface RowsAtOptions {
  /** Ends the reading between two pages. */
  readonly signal?: AbortSignal;
  /** Rows asked for at once, default {@link REPLAY_PAGE}. */
  readonly pageRows?: number;
}

/**
 * All rows as they were at a state that the store has held, though it is written to meanwhile and every page is of a
 * later state. Rows that changed since are given as the leaves tell them, last; they alone are not the tables' own word.
 *
 * Holds one page and what changed meanwhile in memory.
 *
 * @param at  The state's n.
 * @throws STORE_*, LEDGER_FORKED
 */
export async function* rowsAt(
  store: Store,
  at: { readonly n: number },
  options: RowsAtOptions = {},
): AsyncGenerator<ProjectionRow, void, void> {
  const { signal, pageRows = REPLAY_PAGE } = options;
  const changed = new Set<string>();
  const owed: number[] = [];
  let seen = at.n;
  let after: ObjectRef | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const page = await store.projections.rowsAfter(after, pageRows);
    const kept = page.filter(({ n }) => n <= at.n);
    const shown = new Set(kept.map(({ kindNumber, key }) => objectName(kindNumber, key)));
    // Read after the page: a row that the page has no more, or has anew, is among these changes.
    for (const leaf of await leavesAfter(store.ledger, seen)) {
      seen = leaf.n;
      const name = objectName(leaf.kind, leaf.key);
      if (changed.has(name)) continue;
      changed.add(name);
      // Rows of earlier pages were read, and given, before this change.
      const isGiven = shown.has(name) || (after !== undefined && !isBehind(leaf, after));
      if (!isGiven && leaf.prev > 0) owed.push(leaf.prev);
    }
    yield* kept;
    if (page.length === 0) break;
    after = page.at(-1);
  }
  for (const n of owed) {
    const row = await rowOf(store.ledger, n);
    if (row !== undefined) yield row;
  }
}

/** All leaves after n. */
async function leavesAfter(store: LedgerStore, n: number): Promise<Leaf[]> {
  const leaves: Leaf[] = [];
  for (let page = await store.leavesAfter(n, REPLAY_PAGE); page.length > 0;) {
    leaves.push(...page.map(({ leaf }) => decodeLeaf(leaf)));
    page = await store.leavesAfter(leaves.at(-1)?.n ?? n, REPLAY_PAGE);
  }
  return leaves;
}

/** Whether a leaf's object comes later than another in the order of the rows. */
function isBehind({ kind, key }: Leaf, other: ObjectRef): boolean {
  return kind === other.kindNumber
    ? objectName(kind, key) > objectName(kind, other.key)
    : kind > other.kindNumber;
}

/** The row of the object whose newest leaf was n; undefined for a removal. */
async function rowOf(store: LedgerStore, n: number): Promise<ProjectionRow | undefined> {
  const stored = await leafAt(store, n);
  const leaf = decodeLeaf(stored.leaf);
  if (leaf.tombstone) return undefined;
  let firstN = n;
  for (let { prev } = leaf; prev > 0;) {
    const before = decodeLeaf((await leafAt(store, prev)).leaf);
    if (before.tombstone) break;
    firstN = before.n;
    ({ prev } = before);
  }
  return { kindNumber: leaf.kind, key: leaf.key, n, firstN, columns: columnsAt(leaf, stored) };
}

async function leafAt(store: LedgerStore, n: number): Promise<StoredLeaf> {
  const [stored] = await store.leavesAfter(n - 1, 1);
  if (stored === undefined) throw forked(`leaf ${n} is missing`);
  return stored;
}

function columnsAt(leaf: Leaf, { body }: StoredLeaf): RowColumns {
  const kind = kindName(leaf.kind);
  const bytes = partBytes(decodeBody(body).object);
  // What cannot be read here says nothing; nobody can compare it either.
  if (bytes === undefined || !isObjectKind(kind) || understanding(leaf) !== "adopt") {
    return { kind: "other", naturalKey: "" };
  }
  return columnsOf(decodeObject(kind, bytes, leaf));
}
