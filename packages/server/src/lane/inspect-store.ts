import { exportLines, verifyLedger, type VerifyReport } from "@bonafide/ledger";
import type { Head, LedgerStore, Store, StoredLeaf, StoredNode } from "@bonafide/plugin-api";
import { REPLAY_PAGE } from "./limits.ts";
import { rowsAt } from "./rows-at.ts";

/** Options of {@link verifyStore} and {@link exportStore}. */
export interface InspectOptions {
  /** Ends the reading between two pages. */
  readonly signal?: AbortSignal;
}

/**
 * Checks a whole store as it was when the call began: `bonafide ledger verify`. It may be written to meanwhile.
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
    rows: rowsAt(store, head, options),
    keySecret: head.keySecret,
  });
}

/**
 * The lines of an export of the store as it was when the call began, without line ends: `bonafide ledger export`. It may
 * be written to meanwhile.
 *
 * @throws STORE_*
 */
export async function* exportStore(
  store: Store,
  options: InspectOptions = {},
): AsyncGenerator<string, void, void> {
  const head = await store.ledger.head();
  const input = {
    head,
    leaves: leaves(store.ledger, head, options),
    rows: rowsAt(store, head, options),
  };
  yield* exportLines(input);
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
