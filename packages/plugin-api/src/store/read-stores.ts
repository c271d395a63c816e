import type {
  AuthorityObject,
  EntryObject,
  JoinTokenObject,
  NodeObject,
  ProjectionRow,
} from "@bonafide/ledger";
import type { ObjectRef } from "./ledger-store.ts";

/** An object with the place of its newest leaf. Its number on the wire also depends on the floor; see the server. */
export interface StoredObject<T> {
  readonly object: T;
  readonly epoch: number;
  readonly n: number;
  /** n of the leaf that made it, since its last removal: the order of lists. */
  readonly firstN: number;
}

/** A stretch of a list, in the order of `firstN`. */
export interface PageRequest {
  /** Rows after this one; 0 for the first page. */
  readonly afterFirstN: number;
  /** 1..10000. */
  readonly limit: number;
}

/** How a set of words (selectors, trust domains) is compared with the wanted one; 1..1000 words. */
export interface SetMatch {
  /**
   * `exact`: same set; `subset`: all of the row's words are wanted ones; `superset`: the row has all wanted ones;
   * `any`: at least one in common. A row without words matches none of these.
   */
  readonly match: "exact" | "subset" | "superset" | "any";
  /** Selectors as `type:value`. */
  readonly words: readonly string[];
}

/** All given conditions hold together; none given: every entry. */
export interface EntryFilter {
  readonly spiffeId?: string;
  readonly parentId?: string;
  readonly selectors?: SetMatch;
  /** Trust domain names. */
  readonly federatesWith?: SetMatch;
  readonly hint?: string;
  readonly downstream?: boolean;
}

/**
 * Registration entries. Answers are of one committed state, not necessarily the newest that this process has seen.
 * Every method may throw STORE_UNAVAILABLE, STORE_CORRUPT, STORE_CLOSED, STORE_REPLACED; filters and pages out of
 * bounds throw STORE_ARGUMENT.
 */
export interface EntryStore {
  /** undefined: no such entry. */
  byId(entryId: string): Promise<StoredObject<EntryObject> | undefined>;
  /** Lowest `firstN` first; shorter than the limit only at the end. */
  list(filter: EntryFilter, page: PageRequest): Promise<StoredObject<EntryObject>[]>;
  count(filter: EntryFilter): Promise<number>;
}

/** All given conditions hold together; evicted nodes are never listed, counted or found. */
export interface NodeFilter {
  readonly attestationType?: string;
  readonly selectors?: SetMatch;
  readonly banned?: boolean;
  readonly canReattest?: boolean;
  /** By the soft state; a node without one does not match. */
  readonly expiresBeforeMs?: number;
}

/**
 * What is known of a node without a leaf: lost without harm, written in batches. It outlives no node but may be there
 * before its node is.
 */
export interface NodeSoftState {
  /** Agent SPIFFE ID. */
  readonly spiffeId: string;
  readonly lastSeenAtMs: number;
  /** Decimal serial number of its newest X509-SVID. */
  readonly serialNumber: string;
  /** Expiry of its newest X509-SVID. */
  readonly expiresAtMs: number;
  /** Empty: it never said. */
  readonly agentVersion: string;
}

/** A node, and its soft state if there is one. */
export interface StoredNodeObject extends StoredObject<NodeObject> {
  readonly soft: NodeSoftState | undefined;
}

/** Attested nodes; the same rules as {@link EntryStore}. */
export interface NodeStore {
  /** undefined: no such node, or it is evicted. */
  byId(spiffeId: string): Promise<StoredNodeObject | undefined>;
  /** Lowest `firstN` first; shorter than the limit only at the end. */
  list(filter: NodeFilter, page: PageRequest): Promise<StoredNodeObject[]>;
  count(filter: NodeFilter): Promise<number>;
}

/** Join tokens; the same rules as {@link EntryStore}. */
export interface JoinTokenStore {
  /** By hexadecimal SHA-256 of the token; undefined: none. */
  byHash(tokenSha256: string): Promise<StoredObject<JoinTokenObject> | undefined>;
  /** Tokens that expired before an instant, for clearing away, oldest expiry first; 1..10000. */
  expiredBefore(ms: number, limit: number): Promise<StoredObject<JoinTokenObject>[]>;
}

/** Authorities of our own trust domain, in the order in which they were made; the same rules as {@link EntryStore}. */
export interface AuthorityStore {
  list(): Promise<StoredObject<AuthorityObject>[]>;
}

/** Soft state: no leaf, no order, last write wins. */
export interface SoftStateStore {
  /**
   * Durable when it resolves, all or nothing; 0..10000 rows. A row replaces the one before it whole.
   *
   * @throws STORE_READ_ONLY, STORE_FULL, STORE_UNAVAILABLE  nothing was written
   */
  upsertNodes(states: readonly NodeSoftState[]): Promise<void>;
  /** All of them, by SPIFFE ID, after the one given (empty for the first page). */
  nodesAfter(spiffeId: string, limit: number): Promise<NodeSoftState[]>;
}

/** The query tables as they are, to be compared with what the leaves say. */
export interface ProjectionStore {
  /** Rows of all kinds in the order of kind, then key, after the one given; 1..10000. */
  rowsAfter(after: ObjectRef | undefined, limit: number): Promise<ProjectionRow[]>;
}
