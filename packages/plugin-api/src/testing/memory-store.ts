import { BonafideError } from "@bonafide/errors";
import {
  decodeBody,
  encodeBody,
  equalBytes,
  erasePart,
  type ObjectKind,
  type ObjectOf,
  objectName,
  type ProjectionRow,
  KINDS,
} from "@bonafide/ledger";
import { checkBatch, checkFilter, checkLimit, checkSoftStates } from "../store/check-arguments.ts";
import type { AppendBatch, Head } from "../store/ledger-store.ts";
import type { StoredObject } from "../store/read-stores.ts";
import { STORE_ERRORS, type StoreErrorCode } from "../store/store-errors.ts";
import type { Store } from "../store/store.ts";
import { readStoredObject } from "../store/stored-object.ts";
import { MemoryDatabase } from "./memory-database.ts";
import { type ColumnsOf, compareRows, entryMatches, nodeMatches } from "./row-filters.ts";

/** A store in memory whose failures can be ordered. It passes the same contract suite as the real ones. */
export interface MemoryStore extends Store {
  readonly database: MemoryDatabase;
  /**
   * The next call of any port method fails with this code, or the next append with `append`. Several wait in order.
   * STORE_UNKNOWN_OUTCOME on an append is thrown after the batch was written; see `loseNextCommit` for the other half.
   */
  failNext(code: StoreErrorCode, on?: "any" | "append"): void;
  /** The next append throws STORE_UNKNOWN_OUTCOME without having written anything. */
  loseNextCommit(): void;
  /** Runs once, within the next append, before it looks at the head: another server's turn. */
  beforeNextAppend(act: () => Promise<void>): void;
  /** Appends so far that were asked of this store, refused ones included. */
  readonly appends: number;
}

type RowOf<K extends ColumnsOf<"entry" | "node" | "joinToken" | "other">["kind"]> =
  ProjectionRow & {
    readonly columns: ColumnsOf<K>;
  };

/** Opens a database in memory; several stores may share one. */
export function openMemoryStore(database: MemoryDatabase = new MemoryDatabase()): MemoryStore {
  const failures: { code: StoreErrorCode; on: "any" | "append" }[] = [];
  let lostCommit = false;
  let before: (() => Promise<void>) | undefined;
  let appends = 0;
  let closed = false;
  let edits = database.edits;

  const enter = async (call: "read" | "append"): Promise<void> => {
    await Promise.resolve();
    if (closed) fail("STORE_CLOSED");
    const [first] = failures;
    if (first === undefined || (first.on === "append" && call === "read")) return;
    if (first.code === "STORE_UNKNOWN_OUTCOME" && call === "append") return;
    failures.shift();
    fail(first.code);
  };
  const rowsOf = (kind: ObjectKind): ProjectionRow[] =>
    [...database.state.rows.values()]
      .filter((row) => row.kindNumber === KINDS[kind])
      .toSorted((a, b) => a.firstN - b.firstN);
  const read = <K extends ObjectKind>(kind: K, row: ProjectionRow): StoredObject<ObjectOf<K>> =>
    readStoredObject(kind, database.state.leaves[row.n - 1], row.firstN);
  const entryRows = (): RowOf<"entry">[] =>
    rowsOf("entry").filter((row) => hasColumns(row, "entry"));
  const nodeRows = (): RowOf<"node">[] => rowsOf("node").filter((row) => hasColumns(row, "node"));
  const tokenRows = (): RowOf<"joinToken">[] =>
    rowsOf("joinToken").filter((row) => hasColumns(row, "joinToken"));
  const softOf = (row: RowOf<"node">) => database.state.soft.get(row.columns.spiffeId);

  const write = (expected: Head, batch: AppendBatch): "appended" | "moved" => {
    const { state, incarnation } = database;
    checkBatch(expected, batch);
    if (database.readOnly || database.inRecovery) fail("STORE_READ_ONLY");
    if (edits !== database.edits) fail("STORE_CHANGED_OUTSIDE");
    const here = batch.openedIn ?? expected.openedIn;
    if (here.system !== incarnation.system || here.timeline !== incarnation.timeline)
      return "moved";
    const { head } = state;
    if (head.n !== expected.n || head.epoch !== expected.epoch) return "moved";
    if (!equalBytes(head.root, expected.root)) return "moved";
    if (lostCommit) {
      lostCommit = false;
      fail("STORE_UNKNOWN_OUTCOME");
    }
    const nodes = new Map(state.nodes);
    for (const node of batch.nodes) nodes.set(`${node.level}/${node.index}`, node.hash.slice());
    const rows = new Map(state.rows);
    for (const { kindNumber, key } of batch.rows.removed) rows.delete(objectName(kindNumber, key));
    for (const row of batch.rows.put) {
      rows.set(objectName(row.kindNumber, row.key), structuredClone(row));
    }
    database.state = {
      ...state,
      head: { ...head, ...batch.next, openedIn: here },
      leaves: [...state.leaves, ...batch.leaves.map((leaf) => structuredClone(leaf))],
      nodes,
      rows,
      abandoned: [...state.abandoned, ...(batch.abandoned ?? [])],
    };
    for (const wake of database.watchers) queueMicrotask(wake);
    const [first] = failures;
    if (first?.code === "STORE_UNKNOWN_OUTCOME") {
      failures.shift();
      fail(first.code);
    }
    return "appended";
  };

  return {
    database,
    get appends() {
      return appends;
    },
    failNext: (code, on = "any") => {
      failures.push({ code, on });
    },
    loseNextCommit: () => {
      lostCommit = true;
    },
    beforeNextAppend: (act) => {
      before = act;
    },
    ledger: {
      async head() {
        await enter("read");
        return structuredClone(database.state.head);
      },
      async incarnation() {
        await enter("read");
        return { ...database.incarnation, inRecovery: database.inRecovery };
      },
      async leavesAfter(n, limit) {
        checkLimit(limit);
        await enter("read");
        return structuredClone(database.state.leaves.slice(n, n + limit));
      },
      async nodes(level, from, to) {
        await enter("read");
        const found = [];
        for (let index = from; index < to; index += 1) {
          const hash = database.state.nodes.get(`${level}/${index}`);
          if (hash !== undefined) found.push({ level, index, hash: hash.slice() });
        }
        return found;
      },
      async append(expected, batch) {
        appends += 1;
        await enter("append");
        const act = before;
        before = undefined;
        await act?.();
        return write(expected, batch);
      },
      async erase(erasures) {
        await enter("read");
        const { state } = database;
        const newest = new Set([...state.rows.values()].map((row) => row.n));
        if (erasures.some(({ n, object }) => object && newest.has(n))) fail("STORE_ERASE_LIVE");
        const leaves = [...state.leaves];
        for (const { n, meta, object } of erasures) {
          const stored = leaves[n - 1];
          if (stored === undefined) continue;
          const body = decodeBody(stored.body);
          leaves[n - 1] = {
            leaf: stored.leaf,
            body: encodeBody({
              meta: meta ? erasePart(body.meta) : body.meta,
              object: object ? erasePart(body.object) : body.object,
            }),
          };
        }
        database.state = { ...state, leaves };
      },
      watch(wake) {
        database.watchers.add(wake);
        return () => database.watchers.delete(wake);
      },
    },
    entries: {
      async byId(entryId) {
        await enter("read");
        const row = entryRows().find(({ columns }) => columns.entryId === entryId);
        return row === undefined ? undefined : read("entry", row);
      },
      async list(filter, page) {
        checkLimit(page.limit);
        checkFilter(filter);
        await enter("read");
        return entryRows()
          .filter((row) => row.firstN > page.afterFirstN && entryMatches(row.columns, filter))
          .slice(0, page.limit)
          .map((row) => read("entry", row));
      },
      async count(filter) {
        checkFilter(filter);
        await enter("read");
        return entryRows().filter((row) => entryMatches(row.columns, filter)).length;
      },
    },
    nodes: {
      async byId(spiffeId) {
        await enter("read");
        const row = nodeRows().find(({ columns }) => columns.spiffeId === spiffeId);
        if (row === undefined || row.columns.state === "evicted") return undefined;
        return { ...read("node", row), soft: softOf(row) };
      },
      async list(filter, page) {
        checkLimit(page.limit);
        checkFilter(filter);
        await enter("read");
        return nodeRows()
          .filter(
            (row) => row.firstN > page.afterFirstN && nodeMatches(row.columns, softOf(row), filter),
          )
          .slice(0, page.limit)
          .map((row) => ({ ...read("node", row), soft: softOf(row) }));
      },
      async count(filter) {
        checkFilter(filter);
        await enter("read");
        return nodeRows().filter((row) => nodeMatches(row.columns, softOf(row), filter)).length;
      },
    },
    joinTokens: {
      async byHash(tokenSha256) {
        await enter("read");
        const row = tokenRows().find(({ columns }) => columns.tokenSha256 === tokenSha256);
        return row === undefined ? undefined : read("joinToken", row);
      },
      async expiredBefore(ms, limit) {
        checkLimit(limit);
        await enter("read");
        return tokenRows()
          .filter(({ columns }) => columns.expiresAtMs < ms)
          .toSorted((a, b) => a.columns.expiresAtMs - b.columns.expiresAtMs || a.firstN - b.firstN)
          .slice(0, limit)
          .map((row) => read("joinToken", row));
      },
    },
    authorities: {
      async list() {
        await enter("read");
        return rowsOf("authority").map((row) => read("authority", row));
      },
    },
    soft: {
      async upsertNodes(states) {
        checkSoftStates(states);
        await enter("read");
        if (database.readOnly || database.inRecovery) fail("STORE_READ_ONLY");
        const soft = new Map(database.state.soft);
        for (const state of states) soft.set(state.spiffeId, { ...state });
        database.state = { ...database.state, soft };
      },
      async nodesAfter(spiffeId, limit) {
        checkLimit(limit);
        await enter("read");
        return [...database.state.soft.values()]
          .filter((state) => state.spiffeId > spiffeId)
          .toSorted((a, b) => (a.spiffeId < b.spiffeId ? -1 : 1))
          .slice(0, limit);
      },
    },
    projections: {
      async rowsAfter(after, limit) {
        checkLimit(limit);
        await enter("read");
        return structuredClone(
          [...database.state.rows.values()]
            .filter((row) => after === undefined || compareRows(row, after) > 0)
            .toSorted(compareRows)
            .slice(0, limit),
        );
      },
    },
    async reopen() {
      await Promise.resolve();
      if (closed) fail("STORE_CLOSED");
      edits = database.edits;
    },
    async close() {
      await Promise.resolve();
      closed = true;
    },
  };
}

function hasColumns<K extends ColumnsOf<"entry" | "node" | "joinToken" | "other">["kind"]>(
  row: ProjectionRow,
  kind: K,
): row is RowOf<K> {
  return row.columns.kind === kind;
}

function fail(code: StoreErrorCode): never {
  throw new BonafideError(STORE_ERRORS, code, `${code} was asked for`);
}
