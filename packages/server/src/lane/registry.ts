import { BonafideError } from "@bonafide/errors";
import {
  type AnyObject,
  type CompactRange,
  type EntryObject,
  flooredNumber,
  isObjectKind,
  kindName,
  type Leaf,
  naturalKeyOf,
  objectKey,
  objectName,
  type ObjectKind,
  type ObjectOf,
  type Position,
  KINDS,
  type StateName,
} from "@bonafide/ledger";
import type { Head } from "@bonafide/plugin-api";
import { EntryIndex } from "./entry-index.ts";
import { LANE_ERRORS } from "./lane-errors.ts";
import { type EntryLikeness, isEntry, type Known, type RegistryView } from "./registry-view.ts";

/** The newest leaf of a key, removed objects and unknown kinds included. */
export interface Slot extends Position {
  /** n of the leaf that made the object; 0 while it is removed. */
  readonly firstN: number;
  readonly live: boolean;
  /** undefined: removed, of a kind that is skipped, or erased. */
  readonly object: AnyObject | undefined;
}

/** A leaf as decoded for the registry. `object` is undefined for removals, skipped kinds and erased bodies. */
export interface ReadLeaf {
  readonly leaf: Leaf;
  readonly object: AnyObject | undefined;
}

/** One object that changed with an adoption. */
export interface AdoptedChange extends Position {
  readonly kind: ObjectKind;
  readonly naturalKey: string;
  readonly before: AnyObject | undefined;
  /** undefined: removed. */
  readonly after: AnyObject | undefined;
}

const ZERO: Position = { epoch: 0, n: 0 };

/**
 * All objects of the newest state that this server has adopted: what it signs, syncs and authorizes from.
 *
 * One writer (the lane), many readers in the same thread. A batch is adopted whole within one turn, so readers only
 * ever see committed states. Readers must not keep iterators over an await.
 */
export class Registry implements RegistryView {
  #slots = new Map<string, Slot>();
  #live = new Map<ObjectKind, Map<string, Known>>();
  #newestOfKind = new Map<ObjectKind, Position>();
  #entries = new EntryIndex();
  readonly #listeners = new Set<(changes: readonly AdoptedChange[]) => void>();
  #undelivered: AdoptedChange[] = [];
  #floor: Position = ZERO;
  #head: Head;
  #range: CompactRange;

  /** An empty registry at n = 0 of the ledger that `head` is of. */
  constructor(head: Head, range: CompactRange) {
    this.#head = head;
    this.#range = range;
  }

  /** The newest adopted state; not for readers, since the key secret is in it. */
  get ledgerHead(): Head {
    return this.#head;
  }

  /** The right edge of the tree at the head; not to be appended to. */
  get range(): CompactRange {
    return this.#range;
  }

  get head(): StateName {
    return { epoch: this.#head.epoch, n: this.#head.n, root: this.#head.root };
  }

  get floor(): Position {
    return this.#floor;
  }

  find<K extends ObjectKind>(kind: K, naturalKey: string): Known<ObjectOf<K>> | undefined {
    return this.#liveOf(kind).get(naturalKey);
  }

  all<K extends ObjectKind>(kind: K): Iterable<Known<ObjectOf<K>>> {
    return this.#liveOf(kind).values();
  }

  count(kind: ObjectKind): number {
    return this.#live.get(kind)?.size ?? 0;
  }

  entriesByParent(parentId: string): Iterable<Known<EntryObject>> {
    return this.#entries.byParent(parentId);
  }

  entriesBySpiffeId(spiffeId: string): Iterable<Known<EntryObject>> {
    return this.#entries.bySpiffeId(spiffeId);
  }

  entriesFederatingWith(trustDomain: string): Iterable<Known<EntryObject>> {
    return this.#entries.byFederation(trustDomain);
  }

  entryLike(likeness: EntryLikeness): Known<EntryObject> | undefined {
    for (const entry of this.#entries.byLikeness(likeness)) return entry;
    return undefined;
  }

  /** All entries that SPIRE would call the same; several only after a rewind was mended. */
  entriesAlike(likeness: EntryLikeness): Iterable<Known<EntryObject>> {
    return this.#entries.byLikeness(likeness);
  }

  numberOf(known: Position): number {
    return flooredNumber(known, this.#floor);
  }

  kindNumber(kind: ObjectKind): number {
    return flooredNumber(this.#newestOfKind.get(kind) ?? ZERO, this.#floor);
  }

  /** The newest leaf of a kind, removals included. */
  newestOfKind(kind: ObjectKind): Position {
    return this.#newestOfKind.get(kind) ?? ZERO;
  }

  /** The newest leaf of an object by its natural key, also of a removed one. */
  slot(kind: ObjectKind, naturalKey: string): Slot | undefined {
    const key = objectKey(this.#head.keySecret, KINDS[kind], naturalKey);
    return this.slotByKey(KINDS[kind], key);
  }

  /** The newest leaf of an object by its pseudonym, also of a removed one. */
  slotByKey(kindNumber: number, key: Uint8Array): Slot | undefined {
    return this.#slots.get(objectName(kindNumber, key));
  }

  /** All newest leaves with their (kind, pseudonym) names, see `objectName`. */
  slots(): Iterable<readonly [string, Slot]> {
    return this.#slots;
  }

  /**
   * Takes in leaves that are committed and proven to lead to `next`. Only the lane and the opening code call this.
   */
  adopt(leaves: readonly ReadLeaf[], range: CompactRange, next: Head): void {
    for (const read of leaves) this.#take(read);
    this.#range = range;
    this.#head = next;
    if (this.#undelivered.length > 0 && this.#listeners.size > 0)
      setImmediate(() => this.#deliver());
    else this.#undelivered = [];
  }

  /**
   * Becomes another registry's state in one turn, after a store was opened anew; listeners hear what differs.
   */
  become(other: Registry): void {
    const before = new Map(this.#named());
    for (const [name, after] of other.#named()) {
      const was = before.get(name);
      before.delete(name);
      if (was?.epoch === after.epoch && was.n === after.n) continue;
      this.#undelivered.push(changeOf(was, after));
    }
    for (const was of before.values()) this.#undelivered.push(changeOf(was, undefined));
    this.#slots = other.#slots;
    this.#live = other.#live;
    this.#newestOfKind = other.#newestOfKind;
    this.#entries = other.#entries;
    this.#floor = other.#floor;
    this.adopt([], other.#range, other.#head);
  }

  /**
   * Calls back after adoptions, once for all of a turn, never within one. A listener must not throw.
   *
   * @returns The stop function.
   */
  onAdopted(listener: (changes: readonly AdoptedChange[]) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  *#named(): Iterable<[string, Known]> {
    for (const [kind, objects] of this.#live) {
      for (const [naturalKey, known] of objects) yield [`${kind} ${naturalKey}`, known];
    }
  }

  #deliver(): void {
    const changes = this.#undelivered;
    this.#undelivered = [];
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
  }

  #take({ leaf, object }: ReadLeaf): void {
    const name = objectName(leaf.kind, leaf.key);
    const before = this.#slots.get(name);
    const { epoch, n } = leaf;
    const live = !leaf.tombstone;
    const firstN = live ? (before?.live === true ? before.firstN : n) : 0;
    this.#slots.set(name, { epoch, n, firstN, live, object });
    const kind = kindName(leaf.kind);
    if (!isObjectKind(kind)) return;
    this.#newestOfKind.set(kind, { epoch, n });
    if (kind === "epoch") this.#floor = { epoch, n };
    if (before?.object !== undefined) this.#drop(kind, before.object);
    if (object !== undefined) this.#keep(kind, { object, epoch, n, firstN });
    const named = object ?? before?.object;
    if (named === undefined || this.#listeners.size === 0) return;
    const naturalKey = naturalKeyOf(named);
    this.#undelivered.push({ kind, naturalKey, before: before?.object, after: object, epoch, n });
  }

  #drop(kind: ObjectKind, object: AnyObject): void {
    const naturalKey = naturalKeyOf(object);
    if (object.kind === "entry") {
      const entry = this.find("entry", naturalKey);
      if (entry !== undefined) this.#entries.remove(entry);
    }
    this.#live.get(kind)?.delete(naturalKey);
  }

  #keep(kind: ObjectKind, known: Known): void {
    if (known.object.kind !== kind) {
      throw new BonafideError(LANE_ERRORS, "PROPOSAL_INVALID", "an object under another kind");
    }
    const naturalKey = naturalKeyOf(known.object);
    this.#liveOf(kind).set(naturalKey, known);
    if (isEntry(known)) this.#entries.add(known);
  }

  #liveOf<K extends ObjectKind>(kind: K): Map<string, Known<ObjectOf<K>>> {
    let found = this.#live.get(kind);
    if (found === undefined) {
      found = new Map();
      this.#live.set(kind, found);
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- #keep only puts objects of `kind` into its map
    return found as unknown as Map<string, Known<ObjectOf<K>>>;
  }
}

function changeOf(before: Known | undefined, after: Known | undefined): AdoptedChange {
  const named = after ?? before;
  if (named === undefined) throw new RangeError("neither before nor after");
  return {
    kind: named.object.kind,
    naturalKey: naturalKeyOf(named.object),
    before: before?.object,
    after: after?.object,
    epoch: named.epoch,
    n: named.n,
  };
}
