import { type Selector, selectorText } from "@bonafide/ledger";

/** How a filter's set is compared with a stored one; the numbers are those of the wire. */
export const MATCH = { exact: 0, subset: 1, superset: 2, any: 3 } as const;
/** A value of {@link MATCH}. */
export type Match = (typeof MATCH)[keyof typeof MATCH];

/** The selectors' texts, each once, sorted: equal exactly if the sets are equal. */
export function selectorSetKey(selectors: readonly Selector[]): string {
  return JSON.stringify([...new Set(selectors.map(selectorText))].toSorted());
}

/**
 * Compares a stored set with the asked one: exact (equal), subset (stored is within asked and not empty), superset
 * (stored holds all that was asked), any (they share something). SPIRE's code is followed, not the comment in its proto.
 */
export function matchesSet(
  stored: Iterable<string>,
  asked: ReadonlySet<string>,
  match: Match,
): boolean {
  const have = stored instanceof Set ? stored : new Set(stored);
  let shared = 0;
  for (const item of asked) if (have.has(item)) shared++;
  if (match === MATCH.exact) return shared === asked.size && shared === have.size;
  if (match === MATCH.subset) return have.size > 0 && shared === have.size;
  return match === MATCH.superset ? shared === asked.size : shared > 0;
}
