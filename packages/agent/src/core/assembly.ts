import { compareEntries, type Entry } from "./entry.ts";

/**
 * The identities of one caller, in the order in which they are sent: oldest entry first, which is the default one.
 *
 * Of two entries with one hint the older is kept (SPIFFE Workload API §5.2.1: hints are unique in a response). Entries
 * for secret stores are no identities of a caller.
 */
export function assembleIdentities(entries: readonly Entry[]): readonly Entry[] {
  const hints = new Set<string>();
  const kept: Entry[] = [];
  for (const entry of entries.toSorted(compareEntries)) {
    if (entry.storeSvid) continue;
    if (entry.hint !== "" && hints.has(entry.hint)) continue;
    hints.add(entry.hint);
    kept.push(entry);
  }
  return kept;
}

/** The foreign trust domains whose bundles the holder of `entries` gets, sorted. */
export function federatedDomains(entries: readonly Entry[]): readonly string[] {
  return [...new Set(entries.flatMap((entry) => entry.federatesWith))].toSorted();
}
