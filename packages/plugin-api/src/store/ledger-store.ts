import type { Incarnation, ProjectionRow, StateName } from "@bonafide/ledger";

/** The one row that names the newest state. */
export interface Head extends StateName {
  /** Random id of the ledger, 16 bytes. */
  readonly ledgerId: Uint8Array;
  /** 32 bytes that make pseudonyms of names; in every backup, never in a leaf, an export or a log. */
  readonly keySecret: Uint8Array;
  /** Where the current epoch was opened. */
  readonly openedIn: Incarnation;
}

/** A leaf as stored: the 80 hashed bytes and the body column. */
export interface StoredLeaf {
  readonly leaf: Uint8Array;
  readonly body: Uint8Array;
}

/** The top of a full tile: of 256 leaves (level 8), 65,536 (level 16), 2^24 (level 24), ... */
export interface StoredNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

/** Names an object without its natural key. */
export interface ObjectRef {
  readonly kindNumber: number;
  /** 16 bytes. */
  readonly key: Uint8Array;
}

/** What one transaction writes: leaves, and the rows that they are after-images of. */
export interface AppendBatch {
  /** Lowest n first, without gaps from `expected.n + 1`; 0..8192. Without any, only `rows` are written. */
  readonly leaves: readonly StoredLeaf[];
  readonly nodes: readonly StoredNode[];
  readonly next: StateName;
  /** Given exactly when the batch opens an epoch. */
  readonly openedIn?: Incarnation;
  readonly rows: {
    readonly put: readonly ProjectionRow[];
    readonly removed: readonly ObjectRef[];
  };
  /** Leaves that an operator gave up, for the side table; they are no part of the log. */
  readonly abandoned?: readonly StoredLeaf[];
}

/** Erases parts of one body. */
export interface Erasure {
  readonly n: number;
  readonly meta: boolean;
  readonly object: boolean;
}

/**
 * The log: the only way to write control-plane state is compare-and-append.
 *
 * Concurrency: all methods may be called at any time; each answer is of one committed state. Readers see whole
 * transactions only, and n has no gaps: a reader that holds n misses nothing above n.
 * Byte arrays that go in are not changed later by the caller; those that come out belong to the caller.
 *
 * Every method may throw STORE_UNAVAILABLE, STORE_CORRUPT, STORE_CLOSED, STORE_REPLACED.
 */
export interface LedgerStore {
  /** Newest state, from the node that also takes writes. A store that was just made is at n = 0, epoch 0. */
  head(): Promise<Head>;

  /** What this connection really is now, and whether it only replays another's log. */
  incarnation(): Promise<Incarnation & { readonly inRecovery: boolean }>;

  /**
   * Leaves after n, lowest first; empty at the head. A page may be shorter than `limit` while more follow.
   *
   * @param limit  1..10000
   */
  leavesAfter(n: number, limit: number): Promise<StoredLeaf[]>;

  /** Kept tile tops [from, to) of a level, lowest index first; missing ones are left out. */
  nodes(level: number, from: number, to: number): Promise<StoredNode[]>;

  /**
   * Atomic and durable when it resolves `appended`.
   *
   * Resolves `moved`, having written nothing, if the head's epoch, n or root is not `expected`'s any more, or if the
   * store is not the incarnation that `expected` was opened in (unless the batch opens an epoch). Writers queue on the
   * head, which is locked first and never across a client's round trip, so two servers cannot deadlock in the rows.
   * After `appended`, reads through this port and the read ports of the same store see the batch.
   *
   * @throws STORE_READ_ONLY, STORE_FULL, STORE_UNAVAILABLE  nothing was written
   * @throws STORE_UNKNOWN_OUTCOME  the commit's answer was lost: read leaf `expected.n + 1` and compare bytes
   * @throws STORE_REPLACED, STORE_CHANGED_OUTSIDE  nothing was written; open the store anew
   * @throws STORE_ARGUMENT  a batch that is no continuation of `expected`
   */
  append(expected: Head, batch: AppendBatch): Promise<"appended" | "moved">;

  /**
   * Forgets parts of bodies for ever; leaves, root and proofs stay true. Unknown n and parts erased before are passed
   * over. All or nothing.
   *
   * @throws STORE_ERASE_LIVE  the object part of an object's newest leaf
   */
  erase(erasures: readonly Erasure[]): Promise<void>;

  /**
   * Calls back, coalesced, some time after somebody appended. May be missed: poll too.
   *
   * @returns The stop function.
   */
  watch(wake: () => void): () => void;
}
