import { type Selector, selectorText } from "@bonafide/ledger";

/** What the walk needs to know of a registration entry. */
export interface WalkedEntry {
  readonly id: string;
  readonly spiffeId: string;
  readonly parentId: string;
  readonly selectors: readonly Selector[];
  /** Unix seconds; 0: never. */
  readonly expiresAtSeconds: number;
}

/** The entries as the walk reads them. */
export interface EntryTree<E extends WalkedEntry> {
  /** Entries whose parent is exactly this SPIFFE ID, in any order. */
  entriesByParent(parentId: string): Iterable<E>;
}

/** The node whose entries are asked for. */
export interface WalkedNode {
  readonly spiffeId: string;
  /** What its attestor observed. */
  readonly selectors: readonly Selector[];
}

/** An entry with the way that led to it. */
export interface AuthorizedEntry<E> {
  readonly entry: E;
  /** Ids of the entries between the node and this one, nearest to the node first; an alias comes first. */
  readonly origin: readonly string[];
}

/** The type of the selector that holds a node's own SPIFFE ID. No attestor may report it. */
export const SPIFFE_ID_SELECTOR = "spiffe_id";

/** The ID of the servers of a trust domain; entries with this parent are node aliases. */
export function serverIdOf(trustDomain: string): string {
  return `spiffe://${trustDomain}/spire/server`;
}

/**
 * The entries a node is entitled to: the children of its SPIFFE ID and of every alias that fits it, and the children of
 * those, to any depth. Pure; the order is by entry id.
 *
 * An alias is an entry whose parent is the server; it fits a node that has all its selectors, where the node's own ID
 * counts as selector `spiffe_id`. Aliases themselves are not among the answer: nobody gets an SVID for an alias's ID
 * by being the node. A join token's alias entry has the node itself as parent, so it is found as a child like any other.
 * Cycles end because no parent is visited twice. Expired entries neither count nor lead on.
 *
 * @param now  Epoch ms.
 */
export function authorizedEntries<E extends WalkedEntry>(
  tree: EntryTree<E>,
  node: WalkedNode,
  trustDomain: string,
  now: number,
): readonly AuthorizedEntry<E>[] {
  const serverId = serverIdOf(trustDomain);
  const facts = new Set(node.selectors.map(selectorText));
  facts.add(selectorText({ type: SPIFFE_ID_SELECTOR, value: node.spiffeId }));
  const fits = (alias: E): boolean =>
    !isExpired(alias, now) &&
    alias.selectors.length > 0 &&
    alias.selectors.every((selector) => facts.has(selectorText(selector)));

  const todo: { readonly parentId: string; readonly origin: readonly string[] }[] = [
    { parentId: node.spiffeId, origin: [] },
  ];
  for (const alias of sortedById(tree.entriesByParent(serverId))) {
    if (fits(alias)) todo.push({ parentId: alias.spiffeId, origin: [alias.id] });
  }
  const visited = new Set<string>([serverId]);
  const found = new Map<string, AuthorizedEntry<E>>();
  for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
    if (visited.has(next.parentId)) continue;
    visited.add(next.parentId);
    for (const entry of sortedById(tree.entriesByParent(next.parentId))) {
      if (isExpired(entry, now)) continue;
      if (!found.has(entry.id)) found.set(entry.id, { entry, origin: next.origin });
      if (!visited.has(entry.spiffeId)) {
        todo.push({ parentId: entry.spiffeId, origin: [...next.origin, entry.id] });
      }
    }
  }
  return [...found.values()].toSorted((a, b) => (a.entry.id < b.entry.id ? -1 : 1));
}

function isExpired(entry: WalkedEntry, now: number): boolean {
  return entry.expiresAtSeconds > 0 && entry.expiresAtSeconds * 1000 <= now;
}

function sortedById<E extends WalkedEntry>(entries: Iterable<E>): E[] {
  return [...entries].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
