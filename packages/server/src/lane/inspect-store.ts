import { exportLines, type ProjectionRow, verifyLedger, type VerifyReport } from "@bonafide/ledger";
import type { Head, LedgerStore, Store, StoredLeaf, StoredNode } from "@bonafide/plugin-api";
import { REPLAY_PAGE } from "./limits.ts";
import { leafPages } from "./read-leaves.ts";

/** Options of {@link verifyStore} and {@link exportStore}. */
export interface InspectOptions {
  /** Ends the reading between two pages. */
  readonly signal?: AbortSignal;
}

/**
 * Checks a whole store: `bonafide ledger verify`. What is appended while it runs is left out, and rows that changed
 * meanwhile are seen as faults, so a busy store is best checked from a copy or an export.
 *
 * @throws STORE_*
 */
export async function verifyStore(
  store: Store,
  options: InspectOptions = {},
): Promise<VerifyReport> {
  const head = await store.ledger.head();
  return verifyLedger({
    head,
    leaves: leaves(store.ledger, head, options),
    nodes: nodes(store.ledger, head, options),
    rows: rows(store, options),
    keySecret: head.keySecret,
  });
}

/**
 * The lines of an export, without line ends: `bonafide ledger export`.
 *
 * @throws STORE_*
 */
export async function* exportStore(
  store: Store,
  options: InspectOptions = {},
): AsyncGenerator<string, void, void> {
  const head = await store.ledger.head();
  const input = { head, leaves: leaves(store.ledger, head, options), rows: rows(store, options) };
  yield* exportLines(input);
}

/** Leaves with their places, for `bonafide ledger log`. @param from  n of the first. @throws STORE_* */
export async function* leavesFrom(
  store: LedgerStore,
  from: number,
  options: InspectOptions = {},
): AsyncGenerator<StoredLeaf, void, void> {
  const head = await store.head();
  for await (const page of leafPages(store, Math.max(0, from - 1), head.n)) {
    options.signal?.throwIfAborted();
    yield* page;
  }
}

async function* leaves(
  store: LedgerStore,
  head: Head,
  options: InspectOptions,
): AsyncGenerator<StoredLeaf, void, void> {
  // Not leafPages: a missing leaf is something to be named, not to be thrown.
  for (let n = 0; n < head.n;) {
    options.signal?.throwIfAborted();
    const page = await store.leavesAfter(n, Math.min(REPLAY_PAGE, head.n - n));
    if (page.length === 0) return;
    n += page.length;
    yield* page;
  }
}

async function* nodes(
  store: LedgerStore,
  head: Head,
  options: InspectOptions,
): AsyncGenerator<StoredNode, void, void> {
  for (let level = 8; 2 ** level <= head.n; level += 8) {
    const end = Math.floor(head.n / 2 ** level);
    for (let from = 0; from < end; from += REPLAY_PAGE) {
      options.signal?.throwIfAborted();
      yield* await store.nodes(level, from, Math.min(from + REPLAY_PAGE, end));
    }
  }
}

async function* rows(
  store: Store,
  options: InspectOptions,
): AsyncGenerator<ProjectionRow, void, void> {
  for (let page = await store.projections.rowsAfter(undefined, REPLAY_PAGE); page.length > 0;) {
    yield* page;
    options.signal?.throwIfAborted();
    page = await store.projections.rowsAfter(page.at(-1), REPLAY_PAGE);
  }
}
