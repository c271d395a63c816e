import {
  type AnyObject,
  comparePositions,
  type EntryObject,
  flooredNumber,
  naturalKeyOf,
  type ObjectKind,
  type ObjectOf,
  type Position,
  type StateName,
} from "@bonafide/ledger";
import { EntryIndex } from "./entry-index.ts";
import { type EntryLikeness, isEntry, type Known, type RegistryView } from "./registry-view.ts";
import type { Registry } from "./registry.ts";

/** The registry with the accepted proposals of one batch on top. Costs nothing but what the batch changed. */
export class Overlay implements RegistryView {
  readonly #base: Registry;
  /** undefined as a value: removed. */
  readonly #changed = new Map<ObjectKind, Map<string, Known | undefined>>();
  readonly #newestOfKind = new Map<ObjectKind, Position>();
  readonly #entries = new EntryIndex();

  constructor(base: Registry) {
    this.#base = base;
  }

  get head(): StateName {
    return this.#base.head;
  }

  get floor(): Position {
    return this.#base.floor;
  }

  find<K extends ObjectKind>(kind: K, naturalKey: string): Known<ObjectOf<K>> | undefined {
    const changed = this.#changedOf(kind);
    if (changed.has(naturalKey)) return changed.get(naturalKey);
    return this.#base.find(kind, naturalKey);
  }

  *all<K extends ObjectKind>(kind: K): Iterable<Known<ObjectOf<K>>> {
    const changed = this.#changedOf(kind);
    for (const known of this.#base.all(kind)) {
      if (!changed.has(naturalKeyOf(known.object))) yield known;
    }
    for (const known of changed.values()) if (known !== undefined) yield known;
  }

  count(kind: ObjectKind): number {
    let count = this.#base.count(kind);
    for (const [naturalKey, known] of this.#changedOf(kind)) {
      const was = this.#base.find(kind, naturalKey) !== undefined;
      count += Number(known !== undefined) - Number(was);
    }
    return count;
  }

  *entriesByParent(parentId: string): Iterable<Known<EntryObject>> {
    yield* this.#unchanged(this.#base.entriesByParent(parentId));
    yield* this.#entries.byParent(parentId);
  }

  *entriesBySpiffeId(spiffeId: string): Iterable<Known<EntryObject>> {
    yield* this.#unchanged(this.#base.entriesBySpiffeId(spiffeId));
    yield* this.#entries.bySpiffeId(spiffeId);
  }

  *entriesFederatingWith(trustDomain: string): Iterable<Known<EntryObject>> {
    yield* this.#unchanged(this.#base.entriesFederatingWith(trustDomain));
    yield* this.#entries.byFederation(trustDomain);
  }

  entryLike(likeness: EntryLikeness): Known<EntryObject> | undefined {
    for (const entry of this.#entries.byLikeness(likeness)) return entry;
    for (const entry of this.#unchanged(this.#base.entriesAlike(likeness))) return entry;
    return undefined;
  }

  numberOf(known: Position): number {
    return flooredNumber(known, this.floor);
  }

  kindNumber(kind: ObjectKind): number {
    const base = this.#base.newestOfKind(kind);
    const own = this.#newestOfKind.get(kind) ?? base;
    return flooredNumber(comparePositions(own, base) > 0 ? own : base, this.floor);
  }

  /** Lays one accepted change on top. */
  apply(
    kind: ObjectKind,
    naturalKey: string,
    object: AnyObject | undefined,
    place: Position & { readonly firstN: number },
  ): void {
    const changed = this.#changedOf(kind);
    const before = changed.get(naturalKey);
    if (before !== undefined && isEntry(before)) this.#entries.remove(before);
    const { epoch, n, firstN } = place;
    const known = object === undefined ? undefined : { object, epoch, n, firstN };
    this.#laid(kind).set(naturalKey, known);
    if (known !== undefined && isEntry(known)) this.#entries.add(known);
    this.#newestOfKind.set(kind, { epoch, n });
  }

  *#unchanged(entries: Iterable<Known<EntryObject>>): Iterable<Known<EntryObject>> {
    const changed = this.#changedOf("entry");
    for (const entry of entries) if (!changed.has(entry.object.id)) yield entry;
  }

  #laid(kind: ObjectKind): Map<string, Known | undefined> {
    let found = this.#changed.get(kind);
    if (found === undefined) {
      found = new Map();
      this.#changed.set(kind, found);
    }
    return found;
  }

  #changedOf<K extends ObjectKind>(kind: K): ReadonlyMap<string, Known<ObjectOf<K>> | undefined> {
    const found: unknown = this.#laid(kind);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- apply() lays objects under their own kind
    return found as ReadonlyMap<string, Known<ObjectOf<K>> | undefined>;
  }
}
