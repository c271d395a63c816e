import type { SQLInputValue, StatementSync } from "node:sqlite";
import {
  decodeBody,
  encodeBody,
  equalBytes,
  erasePart,
  KINDS,
  type ProjectionRow,
} from "@bonafide/ledger";
import type {
  AppendBatch,
  EntryFilter,
  Erasure,
  Head,
  NodeFilter,
  NodeSoftState,
  ObjectRef,
  PageRequest,
  StoredLeaf,
  StoredNode,
} from "@bonafide/plugin-api";
import { blob, integer, type Row, text } from "./columns.ts";
import { Database, failure, type DatabaseOptions } from "./database.ts";
import { type Condition, entryCondition, nodeCondition } from "./filters.ts";
import { readRows } from "./read-rows.ts";
import { codedError } from "./sqlite-failure.ts";
import { RowWriter } from "./write-rows.ts";

/** A row's newest leaf as it goes to the main thread, where it is decoded. */
export interface FoundLeaf extends StoredLeaf {
  readonly firstN: number;
  /** Nodes only. */
  readonly soft?: NodeSoftState | undefined;
}

const ENTRIES = "FROM entry r JOIN leaf l ON l.n = r.n";
const NODES = "FROM agent r JOIN leaf l ON l.n = r.n LEFT JOIN soft s ON s.spiffe_id = r.spiffe_id";
const TOKENS = "FROM join_token r JOIN leaf l ON l.n = r.n";
const FOUND = "SELECT r.first_n, l.leaf, l.body";
const SOFT = ", s.spiffe_id, s.last_seen_at_ms, s.serial_number, s.expires_at_ms, s.agent_version";
const STATEMENTS_MAX = 200;

/** The port's calls, synchronous, in the worker. Each is one transaction. */
export class StoreCalls {
  readonly #database: Database;
  #rows: RowWriter;
  #prepared = new Map<string, StatementSync>();

  constructor(options: DatabaseOptions) {
    this.#database = new Database(options);
    this.#rows = new RowWriter(this.#database.handle);
  }

  head(): Head {
    const row = this.#one("SELECT * FROM head");
    if (row === undefined) throw failure("STORE_CORRUPT", "the database has no head row");
    return {
      ledgerId: blob(row, "ledger_id"),
      keySecret: blob(row, "key_secret"),
      epoch: integer(row, "epoch"),
      n: integer(row, "n"),
      root: blob(row, "root"),
      openedIn: { system: text(row, "system"), timeline: integer(row, "timeline") },
    };
  }

  leavesAfter(n: number, limit: number): StoredLeaf[] {
    return this.#all("SELECT leaf, body FROM leaf WHERE n>? ORDER BY n LIMIT ?", n, limit).map(
      (row) => ({ leaf: blob(row, "leaf"), body: blob(row, "body") }),
    );
  }

  nodes(level: number, from: number, to: number): StoredNode[] {
    const sql = "SELECT idx, hash FROM node WHERE level=? AND idx>=? AND idx<? ORDER BY idx";
    return this.#all(sql, level, from, to).map((row) => ({
      level,
      index: integer(row, "idx"),
      hash: blob(row, "hash"),
    }));
  }

  append(expected: Head, batch: AppendBatch): "appended" | "moved" {
    return this.#transaction(() => {
      const head = this.head();
      const here = batch.openedIn ?? expected.openedIn;
      const isOurs =
        head.epoch === expected.epoch &&
        head.n === expected.n &&
        equalBytes(head.root, expected.root) &&
        here.system === head.openedIn.system &&
        here.timeline === head.openedIn.timeline;
      if (!isOurs) return "moved";
      const { next } = batch;
      this.#prepare("UPDATE head SET epoch=?, n=?, root=?").run(next.epoch, next.n, next.root);
      const insert = this.#prepare("INSERT INTO leaf VALUES (?,?,?)");
      batch.leaves.forEach(({ leaf, body }, i) => insert.run(expected.n + 1 + i, leaf, body));
      const insertNode = this.#prepare("INSERT INTO node VALUES (?,?,?)");
      for (const { level, index, hash } of batch.nodes) insertNode.run(level, index, hash);
      const abandon = this.#prepare("INSERT INTO abandoned (leaf, body) VALUES (?,?)");
      for (const { leaf, body } of batch.abandoned ?? []) abandon.run(leaf, body);
      for (const ref of batch.rows.removed) this.#rows.remove(ref);
      for (const row of batch.rows.put) this.#rows.put(row);
      return "appended";
    });
  }

  erase(erasures: readonly Erasure[]): void {
    this.#transaction(() => {
      for (const { n, meta, object } of erasures) {
        if (object && this.#one("SELECT 1 AS live FROM object WHERE n=?", n) !== undefined) {
          throw failure("STORE_ERASE_LIVE", "the newest leaf of a live object keeps its content");
        }
        const row = this.#one("SELECT body FROM leaf WHERE n=?", n);
        if (row === undefined) continue;
        const body = decodeBody(blob(row, "body"));
        const erased = encodeBody({
          meta: meta ? erasePart(body.meta) : body.meta,
          object: object ? erasePart(body.object) : body.object,
        });
        this.#prepare("UPDATE leaf SET body=? WHERE n=?").run(erased, n);
      }
    });
    // Until then the old bytes are still in the write-ahead log or in the file.
    this.#database.handle.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  entryById(entryId: string): FoundLeaf | undefined {
    return this.#found(`${FOUND} ${ENTRIES} WHERE r.entry_id=?`, entryId)[0];
  }

  entryList(filter: EntryFilter, page: PageRequest): FoundLeaf[] {
    return this.#list(`${FOUND} ${ENTRIES}`, entryCondition(filter), page);
  }

  entryCount(filter: EntryFilter): number {
    return this.#count(ENTRIES, entryCondition(filter));
  }

  nodeById(spiffeId: string): FoundLeaf | undefined {
    const sql = `${FOUND}${SOFT} ${NODES} WHERE r.spiffe_id=? AND r.state <> 'evicted'`;
    return this.#found(sql, spiffeId)[0];
  }

  nodeList(filter: NodeFilter, page: PageRequest): FoundLeaf[] {
    return this.#list(`${FOUND}${SOFT} ${NODES}`, nodeCondition(filter), page);
  }

  nodeCount(filter: NodeFilter): number {
    return this.#count(NODES, nodeCondition(filter));
  }

  tokenByHash(tokenSha256: string): FoundLeaf | undefined {
    return this.#found(`${FOUND} ${TOKENS} WHERE r.token_sha256=?`, tokenSha256)[0];
  }

  tokensExpiredBefore(ms: number, limit: number): FoundLeaf[] {
    const order = "ORDER BY r.expires_at_ms, r.first_n LIMIT ?";
    return this.#found(`${FOUND} ${TOKENS} WHERE r.expires_at_ms<? ${order}`, ms, limit);
  }

  authorities(): FoundLeaf[] {
    const sql = `${FOUND} FROM object r JOIN leaf l ON l.n = r.n WHERE r.kind=? ORDER BY r.first_n`;
    return this.#found(sql, KINDS.authority);
  }

  upsertSoft(states: readonly NodeSoftState[]): void {
    // Whether somebody else wrote is asked before the next append; soft state does not depend on it.
    this.#database.checkWritable();
    this.#commit(() => {
      const put = this.#prepare("INSERT OR REPLACE INTO soft VALUES (?,?,?,?,?)");
      for (const s of states) {
        put.run(s.spiffeId, s.lastSeenAtMs, s.serialNumber, s.expiresAtMs, s.agentVersion);
      }
    });
  }

  softAfter(spiffeId: string, limit: number): NodeSoftState[] {
    const sql = "SELECT * FROM soft WHERE spiffe_id>? ORDER BY spiffe_id LIMIT ?";
    return this.#all(sql, spiffeId, limit).map(softState);
  }

  rowsAfter(after: ObjectRef | undefined, limit: number): ProjectionRow[] {
    return readRows((sql, ...values) => this.#all(sql, ...values), after, limit);
  }

  reopen(): void {
    this.#prepared = new Map();
    this.#database.reopen();
    this.#rows = new RowWriter(this.#database.handle);
  }

  close(): void {
    this.#database.close();
  }

  #list(select: string, { sql, values }: Condition, page: PageRequest): FoundLeaf[] {
    const query = `${select} WHERE r.first_n>? AND ${sql} ORDER BY r.first_n LIMIT ?`;
    return this.#found(query, page.afterFirstN, ...values, page.limit);
  }

  #count(from: string, { sql, values }: Condition): number {
    const row = this.#one(`SELECT count(*) AS count ${from} WHERE ${sql}`, ...values);
    return row === undefined ? 0 : integer(row, "count");
  }

  #found(sql: string, ...values: Values): FoundLeaf[] {
    return this.#all(sql, ...values).map((row) => ({
      firstN: integer(row, "first_n"),
      leaf: blob(row, "leaf"),
      body: blob(row, "body"),
      soft: typeof row["spiffe_id"] === "string" ? softState(row) : undefined,
    }));
  }

  #one(sql: string, ...values: Values): Row | undefined {
    return this.#all(sql, ...values)[0];
  }

  #all(sql: string, ...values: Values): Row[] {
    this.#database.checkFile();
    return this.#prepare(sql).all(...values);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      // Filters make a few dozen shapes; the bound is for a mistake.
      if (this.#prepared.size >= STATEMENTS_MAX) this.#prepared.clear();
      statement = this.#database.handle.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  #transaction<T>(act: () => T): T {
    this.#database.checkUnchanged();
    return this.#commit(act);
  }

  #commit<T>(act: () => T): T {
    const { handle } = this.#database;
    let committing = false;
    try {
      handle.exec("BEGIN IMMEDIATE");
      const result = act();
      committing = true;
      handle.exec("COMMIT");
      this.#database.noteFiles();
      return result;
    } catch (error) {
      if (handle.isTransaction) handle.exec("ROLLBACK");
      throw codedError(error, committing);
    }
  }
}

type Values = readonly SQLInputValue[];

function softState(row: Row): NodeSoftState {
  return {
    spiffeId: text(row, "spiffe_id"),
    lastSeenAtMs: integer(row, "last_seen_at_ms"),
    serialNumber: text(row, "serial_number"),
    expiresAtMs: integer(row, "expires_at_ms"),
    agentVersion: text(row, "agent_version"),
  };
}
