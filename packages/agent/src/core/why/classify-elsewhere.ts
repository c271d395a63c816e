import type { Selector } from "../entry.ts";
import type { ForeignEntry } from "./facts.ts";
import { nearest } from "./near.ts";

/** The part of an entry that says where it belongs. */
export interface PlacedEntry {
  readonly spiffeId: string;
  readonly parentId: string;
  readonly selectors: readonly Selector[];
}

/** What the server knows of an entry's parent. */
export type ParentFact = Exclude<
  ForeignEntry["parent"],
  { readonly kind: "this_agent" } | { readonly kind: "former_agent" }
>;

/**
 * Tells what the parent of each entry is, from all that a server has registered: an agent, an alias, or nobody.
 *
 * @param agentIds  IDs of all attested agents.
 * @returns One fact for each entry, in order.
 */
export function classifyParents(
  entries: readonly PlacedEntry[],
  agentIds: ReadonlySet<string>,
): readonly ParentFact[] {
  const aliases = new Map<string, readonly Selector[]>();
  for (const { spiffeId, parentId, selectors } of entries) {
    // Parented to the server: the entry names nodes and not workloads.
    if (/^spiffe:\/\/[^/]+\/spire\/server$/.test(parentId)) aliases.set(spiffeId, selectors);
  }
  const known = [...agentIds, ...aliases.keys()];
  return entries.map(({ parentId }): ParentFact => {
    if (agentIds.has(parentId)) return { kind: "agent" };
    const selectors = aliases.get(parentId);
    if (selectors !== undefined) return { kind: "alias", id: parentId, selectors };
    const near = nearest(parentId, known);
    return { kind: "unknown", ...(near === undefined ? {} : { nearest: near }) };
  });
}
