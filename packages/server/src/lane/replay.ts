import { CompactRange, EMPTY_ROOT } from "@bonafide/ledger";
import type { Head, LedgerStore } from "@bonafide/plugin-api";
import { nextTurn } from "../next-turn.ts";
import { checkRoot, leafPages, readLeaves } from "./read-leaves.ts";
import { Registry } from "./registry.ts";

/**
 * Reads the whole ledger: the start of a server. Every body is held to its commitment, and the computed root to the
 * head's, before anything is returned.
 *
 * @param to  Reads up to this n only, for a server that stays on a branch; default the head.
 * @throws LEDGER_FORKED, LEDGER_TOO_NEW, LEAF_MALFORMED, LEAF_FORMAT_UNKNOWN, BODY_MALFORMED
 */
export async function replay(
  store: LedgerStore,
  head: Head,
  to: number = head.n,
): Promise<Registry> {
  const empty = { ...head, epoch: 0, n: 0, root: EMPTY_ROOT };
  const registry = new Registry(empty, new CompactRange());
  const range = new CompactRange();
  for await (const page of leafPages(store, 0, to)) {
    const leaves = readLeaves(page, range);
    const epoch = leaves.at(-1)?.leaf.epoch ?? 0;
    registry.adopt(leaves, range, { ...head, epoch, n: range.size, root: range.root() });
    await nextTurn();
  }
  if (to === head.n) checkRoot(range, registry.head.epoch, head);
  return registry;
}
