import { randomBytes } from "node:crypto";
import {
  decodeLeaf,
  encodeLeaf,
  EMPTY_ROOT,
  type Incarnation,
  objectName,
  type ProjectionRow,
  toHex,
} from "@bonafide/ledger";
import type { Head, StoredLeaf } from "../store/ledger-store.ts";
import type { NodeSoftState } from "../store/read-stores.ts";

/** All that a database holds; replaced field by field, never mutated in place, so that a copy is a shallow one. */
export interface DatabaseState {
  readonly head: Head;
  readonly leaves: readonly StoredLeaf[];
  /** By `level/index`. */
  readonly nodes: ReadonlyMap<string, Uint8Array>;
  /** By `objectName`. */
  readonly rows: ReadonlyMap<string, ProjectionRow>;
  readonly soft: ReadonlyMap<string, NodeSoftState>;
  readonly abandoned: readonly StoredLeaf[];
}

/**
 * A database in memory that several stores can have open at once, and to which everything can happen that happens to a
 * real one: rewinds, older copies, promotions, edits behind the server.
 */
export class MemoryDatabase {
  state: DatabaseState;
  /** What the database is now; a promotion raises it, while `state.head.openedIn` stays. */
  incarnation: Incarnation;
  /** Whether it only replays another's log. */
  inRecovery = false;
  /** Refuses writes with STORE_READ_ONLY. */
  readOnly = false;
  /** Raised by everything that happens behind the stores that are open. */
  edits = 0;
  readonly watchers: Set<() => void> = new Set();

  constructor() {
    this.incarnation = { system: toHex(randomBytes(8)), timeline: 1 };
    this.state = {
      head: {
        epoch: 0,
        n: 0,
        root: EMPTY_ROOT,
        ledgerId: randomBytes(16),
        keySecret: randomBytes(32),
        openedIn: this.incarnation,
      },
      leaves: [],
      nodes: new Map(),
      rows: new Map(),
      soft: new Map(),
      abandoned: [],
    };
  }

  /** What {@link restore} takes, as a backup of this moment. */
  backup(): DatabaseState {
    return this.state;
  }

  /** Puts an older copy in place, as restoring a file does: same database, same incarnation. */
  restore(backup: DatabaseState): void {
    this.state = backup;
    this.edits += 1;
  }

  /** The same in a new cluster: another system. */
  restoreElsewhere(backup: DatabaseState): void {
    this.incarnation = { system: toHex(randomBytes(8)), timeline: 1 };
    this.restore(backup);
  }

  /** A standby that had this state was promoted. */
  promote(backup: DatabaseState = this.state): void {
    this.incarnation = { ...this.incarnation, timeline: this.incarnation.timeline + 1 };
    this.restore(backup);
  }

  /** Changes stored bytes behind every server, as with a database tool. */
  editLeaf(n: number, edit: (stored: StoredLeaf) => StoredLeaf): void {
    const leaves = this.state.leaves.map((stored, i) => (i === n - 1 ? edit(stored) : stored));
    this.state = { ...this.state, leaves };
    this.edits += 1;
  }

  /** Changes a stored row behind every server; undefined deletes it. */
  editRow(
    kindNumber: number,
    key: Uint8Array,
    edit: (row: ProjectionRow) => ProjectionRow | undefined,
  ): void {
    const name = objectName(kindNumber, key);
    const row = this.state.rows.get(name);
    if (row === undefined) throw new RangeError("no such row");
    const rows = new Map(this.state.rows);
    const edited = edit(row);
    if (edited === undefined) rows.delete(name);
    else rows.set(name, edited);
    this.state = { ...this.state, rows };
    this.edits += 1;
  }

  /** An edit of a leaf's header that keeps it decodable. */
  static retime(stored: StoredLeaf): StoredLeaf {
    const leaf = decodeLeaf(stored.leaf);
    return { ...stored, leaf: encodeLeaf({ ...leaf, time: leaf.time + 1 }) };
  }
}
