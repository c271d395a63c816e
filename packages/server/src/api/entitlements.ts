import type { EntryObject } from "@bonafide/ledger";
import type { Clock } from "@bonafide/lifetime";
import type { TrustDomain } from "@bonafide/spiffe";
import { authorizedEntries } from "../core/authorized-entries.ts";
import type { Known, RegistryView } from "../lane/registry-view.ts";

/** An entry that a node is entitled to, with its number on the wire. */
export interface EntitledEntry {
  readonly entry: EntryObject;
  readonly revision: number;
  /** Ids of the entries that led to it, nearest to the node first. */
  readonly origin: readonly string[];
}

/** All entries of a node at one state. */
export interface Entitlement {
  /** By entry id, in the order of ids. */
  readonly entries: ReadonlyMap<string, EntitledEntry>;
  /** When the first of them ends by itself, epoch ms; infinity: never. */
  readonly until: number;
  /** The parents that were looked under: a change of an entry below any other changes nothing here. */
  readonly parents: ReadonlySet<string>;
}

/** Nodes whose set is kept; the one unused for longest goes first. */
const KEPT_MAX = 2000;

/** "The entries of a node", worked out once for each state of the registry. */
export class Entitlements {
  readonly #registry: RegistryView;
  readonly #trustDomain: TrustDomain;
  readonly #clock: Clock;
  readonly #kept = new Map<
    string,
    { readonly epoch: number; readonly n: number; readonly value: Entitlement }
  >();

  constructor(registry: RegistryView, trustDomain: TrustDomain, clock: Clock) {
    this.#registry = registry;
    this.#trustDomain = trustDomain;
    this.#clock = clock;
  }

  /** What the node is entitled to now; nothing if it is not live. */
  of(nodeId: string): Entitlement {
    const { epoch, n } = this.#registry.head;
    const now = this.#clock.now();
    const kept = this.#kept.get(nodeId);
    this.#kept.delete(nodeId);
    const isCurrent = kept?.epoch === epoch && kept.n === n && now < kept.value.until;
    const value = isCurrent ? kept.value : this.#workOut(nodeId, now);
    this.#kept.set(nodeId, { epoch, n, value });
    const oldest = this.#kept.size > KEPT_MAX ? this.#kept.keys().next() : undefined;
    if (oldest?.done === false) this.#kept.delete(oldest.value);
    return value;
  }

  #workOut(nodeId: string, now: number): Entitlement {
    const node = this.#registry.find("node", nodeId)?.object;
    if (node?.state !== "live") {
      return { entries: new Map(), until: Infinity, parents: new Set() };
    }
    const parents = new Set<string>();
    const placed = new Map<string, Known<EntryObject>>();
    const tree = {
      entriesByParent: (parentId: string): EntryObject[] => {
        parents.add(parentId);
        return [...this.#registry.entriesByParent(parentId)].map((known) => {
          placed.set(known.object.id, known);
          return known.object;
        });
      },
    };
    const entries = new Map<string, EntitledEntry>();
    let until = Infinity;
    for (const { entry, origin } of authorizedEntries(tree, node, this.#trustDomain, now)) {
      const known = placed.get(entry.id);
      if (known === undefined) continue;
      entries.set(entry.id, { entry, origin, revision: this.#registry.numberOf(known) });
    }
    // Also of entries that only lead on, such as aliases: when one ends, what it led to may end with it.
    for (const { object } of placed.values()) {
      const endsAt = object.expiresAtSeconds * 1000;
      if (endsAt > now) until = Math.min(until, endsAt);
    }
    return { entries, until, parents };
  }
}
