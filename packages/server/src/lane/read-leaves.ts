import { BonafideError } from "@bonafide/errors";
import {
  commit,
  type CompactRange,
  decodeBody,
  decodeLeaf,
  decodeObject,
  equalBytes,
  isObjectKind,
  kindName,
  type Leaf,
  leafHash,
  LEDGER_ERRORS,
  partBytes,
  sameState,
  understanding,
} from "@bonafide/ledger";
import type { Head, LedgerStore, StoredLeaf } from "@bonafide/plugin-api";
import { REPLAY_PAGE } from "./limits.ts";
import type { ReadLeaf } from "./registry.ts";

/**
 * Decodes one stored leaf and holds its body to its commitment.
 *
 * @throws LEDGER_TOO_NEW   it must be understood and is not
 * @throws LEDGER_FORKED    the body is not what the leaf commits to
 * @throws LEAF_MALFORMED, LEAF_FORMAT_UNKNOWN, BODY_MALFORMED
 */
export function readLeaf(stored: StoredLeaf): ReadLeaf {
  const leaf = decodeLeaf(stored.leaf);
  const known = understanding(leaf);
  if (known === "too-new") throw tooNew(leaf);
  const body = decodeBody(stored.body);
  if (!equalBytes(commit(body), leaf.commitment)) {
    throw forked(`the body beside leaf ${leaf.n} is not the one it was written with`);
  }
  const kind = kindName(leaf.kind);
  const bytes = partBytes(body.object);
  const plain = leaf.tombstone || bytes === undefined || known === "skip" || !isObjectKind(kind);
  return { leaf, object: plain ? undefined : decodeObject(kind, bytes, leaf) };
}

/**
 * Decodes leaves that follow `range` and adds them to it.
 *
 * @throws as {@link readLeaf}, and LEDGER_FORKED for a gap
 */
export function readLeaves(stored: readonly StoredLeaf[], range: CompactRange): ReadLeaf[] {
  return stored.map((one) => {
    const read = readLeaf(one);
    if (read.leaf.n !== range.size + 1) throw forked(`leaf ${range.size + 1} is missing`);
    range.append(leafHash(one.leaf));
    return read;
  });
}

/** Holds the root that leaves lead to against the one that the store states. @throws LEDGER_FORKED */
export function checkRoot(range: CompactRange, epoch: number, head: Head): void {
  if (!sameState({ epoch, n: range.size, root: range.root() }, head)) {
    throw forked(`the leaves up to ${range.size} do not lead to the stated root`);
  }
}

/** Pages of leaves from n + 1 to `last`, the next one asked for while one is handled. @throws LEDGER_FORKED a gap */
export async function* leafPages(
  store: LedgerStore,
  n: number,
  last: number,
): AsyncGenerator<readonly StoredLeaf[], void, void> {
  let next = n < last ? store.leavesAfter(n, Math.min(REPLAY_PAGE, last - n)) : undefined;
  for (let at = n; next !== undefined;) {
    const page = await next;
    if (page.length === 0) throw forked(`leaf ${at + 1} is missing`);
    at += page.length;
    next = at < last ? store.leavesAfter(at, Math.min(REPLAY_PAGE, last - at)) : undefined;
    // Its failure is thrown by the await above; until then it must not count as unhandled.
    next?.catch(() => undefined);
    yield page;
  }
}

/** A ledger that cannot be trusted as read. */
export function forked(why: string): BonafideError {
  return new BonafideError(
    LEDGER_ERRORS,
    "LEDGER_FORKED",
    `${why}; \`bonafide ledger verify\` shows what differs`,
  );
}

function tooNew(leaf: Leaf): BonafideError {
  const details = { kind: String(leaf.kind), needs: String(leaf.needs), n: String(leaf.n) };
  return new BonafideError(
    LEDGER_ERRORS,
    "LEDGER_TOO_NEW",
    `leaf ${leaf.n} needs schema ${leaf.needs} of kind ${leaf.kind}: upgrade this server`,
    { details },
  );
}
