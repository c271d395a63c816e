import type { EntryObject, NodeObject } from "@bonafide/ledger";
import { selectorText } from "@bonafide/ledger";
import {
  authorizedEntries,
  type EntryTree,
  serverIdOf,
  SPIFFE_ID_SELECTOR,
} from "./authorized-entries.ts";

/** The control plane as a preview reads it. */
export interface PreviewedState extends EntryTree<EntryObject> {
  /** Entries with exactly this SPIFFE ID, in any order. */
  entriesBySpiffeId(spiffeId: string): Iterable<EntryObject>;
  /** Nodes that are neither banned nor evicted, in any order. */
  liveNodes(): Iterable<NodeObject>;
}

/** One entry that is about to be written, or to go. */
export type PreviewedChange =
  | { readonly kind: "create"; readonly entry: EntryObject }
  | { readonly kind: "delete"; readonly entry: EntryObject };

/** What one node would gain and lose, by entry ids in their order. */
export interface NodeEffect {
  readonly nodeId: string;
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

/** How another entry stands to the one that changes. */
export interface EntryRelation {
  /** Dotted; see docs/cli.md. */
  readonly code:
    | "entry.redundant"
    | "entry.makes_redundant"
    | "entry.shadowed"
    | "entry.shadowed_for_some"
    | "entry.identity_stays"
    | "entry.unshadows";
  readonly entry: EntryObject;
}

/** What a change would do. */
export interface EntryPreview {
  /** How many nodes are concerned; more than `effects` if that was cut. */
  readonly nodes: number;
  /** Of the first nodes, by ID; nodes for which nothing changes are left out. */
  readonly effects: readonly NodeEffect[];
  readonly relations: readonly EntryRelation[];
}

/** Nodes that are looked at one by one. */
const NODES_MAX = 50;
/** Entries seen in all those looks, after which no further node is looked at. */
const ENTRIES_MAX = 20_000;
const RELATIONS_MAX = 50;

/**
 * What creating or deleting one entry would do: which nodes gain or lose it, with what hangs below it, and which other
 * entries it makes needless, hides or uncovers. Pure.
 *
 * @param now  Epoch ms; what has expired by then neither counts nor leads on.
 */
export function previewEntry(
  state: PreviewedState,
  { kind, entry }: PreviewedChange,
  trustDomain: string,
  now: number,
): EntryPreview {
  const without: EntryTree<EntryObject> = {
    entriesByParent: (parentId) =>
      [...state.entriesByParent(parentId)].filter(({ id }) => id !== entry.id),
  };
  const withIt: EntryTree<EntryObject> = {
    entriesByParent: (parentId) => {
      const others = [...without.entriesByParent(parentId)];
      return parentId === entry.parentId ? [...others, entry] : others;
    },
  };
  const reach = new Reach(state, trustDomain, now);
  const nodes = [...reach.nodesOf(entry)].toSorted((a, b) => (a.spiffeId < b.spiffeId ? -1 : 1));
  const effects: NodeEffect[] = [];
  const neighbours = new Map<string, EntryObject>();
  let seen = 0;
  for (const node of nodes.slice(0, NODES_MAX)) {
    if (seen > ENTRIES_MAX) break;
    const more = entriesOf(withIt, node, trustDomain, now);
    const fewer = entriesOf(without, node, trustDomain, now);
    seen += more.size;
    for (const [id, other] of fewer) neighbours.set(id, other);
    const difference = [...more.keys()].filter((id) => !fewer.has(id));
    const effect = {
      nodeId: node.spiffeId,
      gained: kind === "create" ? difference : [],
      lost: kind === "delete" ? difference : [],
    };
    if (difference.length > 0) effects.push(effect);
  }
  const relations = [...relationsOf(kind, entry, neighbours.values())].slice(0, RELATIONS_MAX);
  return { nodes: nodes.length, effects, relations };
}

function entriesOf(
  tree: EntryTree<EntryObject>,
  node: NodeObject,
  trustDomain: string,
  now: number,
): Map<string, EntryObject> {
  const found = authorizedEntries(tree, node, trustDomain, now);
  return new Map(found.map(({ entry }) => [entry.id, entry]));
}

/** Finds the nodes that hold an entry by going up from it, since most nodes have nothing to do with it. */
class Reach {
  readonly #state: PreviewedState;
  readonly #serverId: string;
  readonly #now: number;

  constructor(state: PreviewedState, trustDomain: string, now: number) {
    this.#state = state;
    this.#serverId = serverIdOf(trustDomain);
    this.#now = now;
  }

  nodesOf(entry: EntryObject): Set<NodeObject> {
    const nodes = [...this.#state.liveNodes()];
    const byId = new Map(nodes.map((node) => [node.spiffeId, node]));
    const found = new Set<NodeObject>();
    const visited = new Set<string>();
    const todo: EntryObject[] = [entry];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      if (this.#isExpired(next)) continue;
      if (next.parentId === this.#serverId) {
        for (const node of nodes) if (fitsNode(next, node)) found.add(node);
        continue;
      }
      const node = byId.get(next.parentId);
      if (node !== undefined) found.add(node);
      if (visited.has(next.parentId)) continue;
      visited.add(next.parentId);
      todo.push(...this.#state.entriesBySpiffeId(next.parentId));
    }
    return found;
  }

  #isExpired({ expiresAtSeconds }: EntryObject): boolean {
    return expiresAtSeconds > 0 && expiresAtSeconds * 1000 <= this.#now;
  }
}

function fitsNode(alias: EntryObject, node: NodeObject): boolean {
  const facts = wordsOf(node.selectors);
  facts.add(selectorText({ type: SPIFFE_ID_SELECTOR, value: node.spiffeId }));
  return (
    alias.selectors.length > 0 && [...wordsOf(alias.selectors)].every((word) => facts.has(word))
  );
}

/** @param neighbours  Entries that the same nodes hold without this one. */
function* relationsOf(
  kind: PreviewedChange["kind"],
  entry: EntryObject,
  neighbours: Iterable<EntryObject>,
): Generator<EntryRelation> {
  const words = wordsOf(entry.selectors);
  for (const other of neighbours) {
    const theirs = wordsOf(other.selectors);
    const coversUs = theirs.isSubsetOf(words);
    const isCovered = words.isSubsetOf(theirs);
    if (!coversUs && !isCovered) continue;
    if (other.spiffeId === entry.spiffeId) {
      if (kind === "delete" && coversUs) yield { code: "entry.identity_stays", entry: other };
      if (kind === "create") {
        yield { code: coversUs ? "entry.redundant" : "entry.makes_redundant", entry: other };
      }
    } else if (entry.hint !== "" && other.hint === entry.hint) {
      // Of two entries with one hint a process is shown the older.
      if (kind === "create") {
        yield { code: coversUs ? "entry.shadowed" : "entry.shadowed_for_some", entry: other };
      } else if (isOlder(entry, other)) yield { code: "entry.unshadows", entry: other };
    }
  }
}

function isOlder(a: EntryObject, b: EntryObject): boolean {
  if (a.createdAtSeconds !== b.createdAtSeconds) return a.createdAtSeconds < b.createdAtSeconds;
  return a.id < b.id;
}

function wordsOf(selectors: EntryObject["selectors"]): Set<string> {
  return new Set(selectors.map(selectorText));
}
