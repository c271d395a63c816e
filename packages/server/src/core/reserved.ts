import type { EntryObject } from "@bonafide/ledger";
import type { RegistryView } from "../lane/registry-view.ts";
import type { Grant } from "./administration.ts";

/** Entries looked at below one ID; an ID with more below it counts as reserved: whoever may write all may write it. */
const BELOW_MAX = 10_000;

/**
 * Whether only a full administrator may write an entry: it carries a flag, its ID holds a grant or a flag through any
 * entry, or one that does lies below it.
 *
 * Below, because entries lead on: a node that gets an entry of this ID, be it an alias or a step on the way, gets those
 * whose parent is this ID, and theirs. Whoever may write here chooses the nodes for all of them.
 */
export function isReservedEntry(
  view: RegistryView,
  grants: readonly Grant[],
  entry: Pick<EntryObject, "admin" | "downstream" | "spiffeId">,
): boolean {
  return isFlagged(entry) || isReservedId(view, grants, entry.spiffeId);
}

/** The same of an ID alone: what an alias of a join token would be. */
export function isReservedId(
  view: RegistryView,
  grants: readonly Grant[],
  spiffeId: string,
): boolean {
  const holders = new Set(grants.map(({ holder }) => holder));
  const todo = [spiffeId];
  const seen = new Set(todo);
  let looked = 0;
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    if (holders.has(id)) return true;
    for (const { object } of view.entriesBySpiffeId(id)) {
      if (isFlagged(object) || ++looked > BELOW_MAX) return true;
    }
    for (const { object } of view.entriesByParent(id)) {
      if (isFlagged(object) || ++looked > BELOW_MAX) return true;
      if (seen.has(object.spiffeId)) continue;
      seen.add(object.spiffeId);
      todo.push(object.spiffeId);
    }
  }
  return false;
}

function isFlagged({ admin, downstream }: Pick<EntryObject, "admin" | "downstream">): boolean {
  return admin || downstream;
}
