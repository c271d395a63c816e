import {
  type AnyObject,
  columnsOf,
  commit,
  type CompactRange,
  encodeBody,
  encodeLeaf,
  encodeMeta,
  encodeObject,
  type Incarnation,
  isStoredLevel,
  type Kind,
  type Leaf,
  leafHash,
  type Meta,
  needsOf,
  objectKey,
  objectName,
  type Position,
  type ProjectionRow,
  saltPart,
  KINDS,
} from "@bonafide/ledger";
import type { AppendBatch, Head, ObjectRef, StoredLeaf, StoredNode } from "@bonafide/plugin-api";
import type { ReadLeaf, Registry } from "./registry.ts";

/** A leaf to write. */
export interface NewLeaf {
  readonly kind: Kind;
  readonly naturalKey: string;
  /** undefined: a tombstone. */
  readonly object: AnyObject | undefined;
  readonly meta: Meta;
  /** What `encodeObject` makes of the object, if that is known already; empty for a tombstone. */
  readonly objectBytes?: Uint8Array;
}

/** A leaf that the store lost, to be written again under the same pseudonym. */
export interface ReturningLeaf {
  readonly leaf: Leaf;
  /** undefined: its pseudonym is taken over, which is right within one ledger only. */
  readonly naturalKey: string | undefined;
  readonly object: AnyObject | undefined;
  /** Protobuf bytes of the object part as it was. */
  readonly objectBytes: Uint8Array;
  readonly meta: Meta;
}

/** A batch that is ready for the store, and what the registry takes in once it is there. */
export interface BuiltBatch {
  readonly batch: AppendBatch;
  readonly leaves: readonly ReadLeaf[];
  readonly range: CompactRange;
  readonly next: Head;
}

interface Newest extends Position {
  readonly firstN: number;
  readonly live: boolean;
}

/** Options of {@link BatchBuilder}. */
export interface BatchBuilderOptions {
  /** Writer's clock, epoch ms; for people. */
  readonly time: number;
  /** Given when the batch opens an epoch. */
  readonly opens?: { readonly epoch: number; readonly incarnation: Incarnation };
}

/** Makes leaves, hashes, tile tops and rows of one append, on top of what the registry holds. */
export class BatchBuilder {
  readonly #registry: Registry;
  readonly #range: CompactRange;
  readonly #options: BatchBuilderOptions;
  readonly #stored: StoredLeaf[] = [];
  readonly #read: ReadLeaf[] = [];
  readonly #nodes: StoredNode[] = [];
  readonly #newest = new Map<string, Newest>();
  readonly #rows = new Map<string, ProjectionRow | ObjectRef>();

  constructor(registry: Registry, options: BatchBuilderOptions) {
    this.#registry = registry;
    this.#range = registry.range.clone();
    this.#options = options;
  }

  /** Leaves so far. */
  get size(): number {
    return this.#stored.length;
  }

  /** Adds a leaf. @returns where it will stand */
  add(leaf: NewLeaf): Newest {
    const kind = KINDS[leaf.kind];
    const key = objectKey(this.#registry.ledgerHead.keySecret, kind, leaf.naturalKey);
    const { object } = leaf;
    const objectBytes =
      leaf.objectBytes ?? (object === undefined ? new Uint8Array() : encodeObject(object));
    const needs = needsOf(leaf.kind);
    const tombstone = leaf.object === undefined;
    return this.#add({ kind, key, needs, tombstone, reappended: false }, leaf, objectBytes);
  }

  /** Adds a lost leaf again. */
  addReturning(returning: ReturningLeaf): Newest {
    const { kind, needs, tombstone } = returning.leaf;
    const { naturalKey } = returning;
    const { keySecret } = this.#registry.ledgerHead;
    const key =
      naturalKey === undefined ? returning.leaf.key : objectKey(keySecret, kind, naturalKey);
    const header = { kind, key, needs, tombstone, reappended: true };
    return this.#add(header, returning, returning.objectBytes);
  }

  /** What the store gets, and what the registry will get. */
  build(abandoned: readonly StoredLeaf[] = []): BuiltBatch {
    const { opens } = this.#options;
    const head = this.#registry.ledgerHead;
    const name = {
      epoch: opens?.epoch ?? head.epoch,
      n: head.n + this.#stored.length,
      root: this.#range.root(),
    };
    const put: ProjectionRow[] = [];
    const removed: ObjectRef[] = [];
    for (const row of this.#rows.values()) {
      if ("columns" in row) put.push(row);
      else removed.push(row);
    }
    const batch: AppendBatch = {
      leaves: this.#stored,
      nodes: this.#nodes,
      next: name,
      ...(opens === undefined ? {} : { openedIn: opens.incarnation }),
      rows: { put, removed },
      ...(abandoned.length === 0 ? {} : { abandoned }),
    };
    const next: Head = { ...head, ...name, openedIn: opens?.incarnation ?? head.openedIn };
    return { batch, leaves: this.#read, range: this.#range, next };
  }

  #add(
    header: Pick<Leaf, "kind" | "key" | "needs" | "tombstone" | "reappended">,
    parts: { readonly object: AnyObject | undefined; readonly meta: Meta },
    objectBytes: Uint8Array,
  ): Newest {
    const name = objectName(header.kind, header.key);
    const before = this.#newest.get(name) ?? this.#registry.slotByKey(header.kind, header.key);
    const n = this.#registry.ledgerHead.n + this.#stored.length + 1;
    const body = { meta: saltPart(encodeMeta(parts.meta)), object: saltPart(objectBytes) };
    const leaf: Leaf = {
      ...header,
      epoch: this.#options.opens?.epoch ?? this.#registry.ledgerHead.epoch,
      n,
      time: this.#options.time,
      prev: before?.n ?? 0,
      commitment: commit(body),
    };
    const stored = { leaf: encodeLeaf(leaf), body: encodeBody(body) };
    this.#range.append(leafHash(stored.leaf), (ref, hash) => {
      if (isStoredLevel(ref.level)) this.#nodes.push({ ...ref, hash });
    });
    this.#stored.push(stored);
    this.#read.push({ leaf, object: parts.object });
    const live = !header.tombstone;
    const firstN = live ? (before?.live === true ? before.firstN : n) : 0;
    const newest = { epoch: leaf.epoch, n, firstN, live };
    this.#newest.set(name, newest);
    const ref = { kindNumber: header.kind, key: header.key };
    const row = parts.object && { ...ref, n, firstN, columns: columnsOf(parts.object) };
    this.#rows.set(name, row ?? ref);
    return newest;
  }
}
