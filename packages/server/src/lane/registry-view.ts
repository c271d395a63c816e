import type {
  AnyObject,
  EntryObject,
  EpochObject,
  LedgerObject,
  ObjectKind,
  ObjectOf,
  Position,
  Selector,
  StateName,
} from "@bonafide/ledger";

/** An object as the registry knows it: its after-image and the place of its newest leaf. */
export interface Known<T extends AnyObject = AnyObject> extends Position {
  readonly object: T;
  /** n of the leaf that made it, since its last removal. */
  readonly firstN: number;
}

/** Whether what is known is an entry. */
export function isEntry(known: Known): known is Known<EntryObject> {
  return known.object.kind === "entry";
}

/** What makes two entries the same to SPIRE: spiffe_id, parent_id and the set of selectors. */
export interface EntryLikeness {
  readonly spiffeId: string;
  readonly parentId: string;
  readonly selectors: readonly Selector[];
}

/**
 * One state of the control plane, in memory. All reads are synchronous; what they return is immutable.
 *
 * The registry itself shows committed states only. A `decide` function sees an overlay: the newest committed state and
 * the proposals of its batch that were accepted before it.
 */
export interface RegistryView {
  /** The newest committed state; an overlay's own changes are not in it yet. */
  readonly head: StateName;
  /** Where the newest epoch was opened; a floor under every number. */
  readonly floor: Position;

  /**
   * The object of a kind by its natural key: entry id, agent SPIFFE ID, hex SHA-256 of a join token, `x509/ID`, foreign
   * trust domain, server id, alarm id, setting name. undefined: absent or removed. Evicted nodes are found.
   */
  find<K extends ObjectKind>(kind: K, naturalKey: string): Known<ObjectOf<K>> | undefined;
  /** All live objects of a kind, in no order. */
  all<K extends ObjectKind>(kind: K): Iterable<Known<ObjectOf<K>>>;
  /** How many {@link all} yields. */
  count(kind: ObjectKind): number;

  /** Entries whose parent ID is exactly this one, in no order. */
  entriesByParent(parentId: string): Iterable<Known<EntryObject>>;
  /** Entries with exactly this SPIFFE ID, in no order. */
  entriesBySpiffeId(spiffeId: string): Iterable<Known<EntryObject>>;
  /** Entries that federate with a trust domain, by its name, in no order. */
  entriesFederatingWith(trustDomain: string): Iterable<Known<EntryObject>>;
  /** The entry that SPIRE would call the same: same ID, same parent, same set of selectors. */
  entryLike(likeness: EntryLikeness): Known<EntryObject> | undefined;

  /** The number to tell on the wire for an object: its newest leaf or, if that is newer, the epoch's opening. */
  numberOf(known: Position): number;
  /**
   * The number to tell for something that is computed of a whole kind, such as our bundle of all authorities: that of
   * the kind's newest leaf, removals included, with the same floor.
   */
  kindNumber(kind: ObjectKind): number;
}

/** Objects that a proposal may write; a ledger and its epochs are written by their own rules. */
export type WritableObject = Exclude<AnyObject, LedgerObject | EpochObject>;

/** One wanted change: the object as it shall be from now on, or its removal. */
export type Change =
  | { readonly put: WritableObject }
  | { readonly remove: { readonly kind: WritableObject["kind"]; readonly naturalKey: string } };

/**
 * Judges a state and says what shall change, all of it or nothing. Pure and quick: it runs in the lane, again whenever
 * the head moved. It must not be async, keep the view, or act; what it throws (a coded error) is what `submit` throws.
 * An empty list writes nothing and succeeds.
 */
export type Decide = (state: RegistryView) => readonly Change[];
