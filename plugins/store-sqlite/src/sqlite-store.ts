import type { ObjectKind, ObjectOf } from "@bonafide/ledger";
import {
  checkBatch,
  checkFilter,
  checkLimit,
  checkSoftStates,
  readStoredObject,
  type Store,
  type StoredNodeObject,
  type StoredObject,
} from "@bonafide/plugin-api";
import type { FoundLeaf } from "./store-calls.ts";
import { WorkerClient } from "./worker-client.ts";

/** Options of {@link openSqliteStore}. */
export interface SqliteStoreOptions {
  /** The database file; made with mode 0600 if it is not there. Its folder must be. */
  readonly path: string;
  /**
   * The worker's module; default is the source file beside this one. A bundle passes the URL of the file it made of
   * `@bonafide/store-sqlite/worker`.
   */
  readonly workerUrl?: URL;
  /** For looking only, also while a server runs: no lock, no file made, every write throws STORE_READ_ONLY. */
  readonly readOnly?: boolean;
  /** Pages of 4 KiB that the file may grow to, then STORE_FULL; default 0: no bound but the disk's. */
  readonly pagesMax?: number;
}

/**
 * Opens (or makes) a store in one SQLite file. All SQL runs in one worker thread, in the order of the calls.
 *
 * The file is locked against a second process for as long as it is open. Its inode is looked at before every
 * transaction and read, and commits of anybody else are noticed before every write.
 *
 * @throws STORE_LOCKED  another server has it open
 * @throws STORE_CORRUPT, STORE_SCHEMA_UNKNOWN, STORE_UNAVAILABLE
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, readOnly = false, pagesMax = 0 } = options;
  const workerUrl = options.workerUrl ?? new URL("./sqlite-worker.ts", import.meta.url);
  const worker = await WorkerClient.open(workerUrl, { path, readOnly, pagesMax });
  const watchers = new Set<() => void>();
  const { call } = { call: worker.call.bind(worker) };
  return {
    ledger: {
      head: () => call("head"),
      async incarnation() {
        // The file's id never changes while it is open: another file is STORE_REPLACED.
        const { openedIn } = await call("head");
        return { ...openedIn, inRecovery: false };
      },
      async leavesAfter(n, limit) {
        checkLimit(limit);
        return call("leavesAfter", n, limit);
      },
      nodes: (level, from, to) => call("nodes", level, from, to),
      async append(expected, batch) {
        checkBatch(expected, batch);
        // Exactly the port's fields: an instance of a class in a message could not be cloned.
        const { leaves, nodes, next, openedIn, rows, abandoned = [] } = batch;
        const { put, removed } = rows;
        const { epoch, n, root } = next;
        const outcome = await call("append", expected, {
          leaves,
          nodes,
          next: { epoch, n, root },
          ...(openedIn === undefined ? {} : { openedIn }),
          rows: { put, removed },
          abandoned,
        });
        if (outcome === "appended") for (const wake of watchers) wake();
        return outcome;
      },
      erase: (erasures) => call("erase", erasures),
      watch(wake) {
        watchers.add(wake);
        return () => watchers.delete(wake);
      },
    },
    entries: {
      byId: async (id) => first("entry", await call("entryById", id)),
      async list(filter, page) {
        checkFilter(filter);
        checkLimit(page.limit);
        return all("entry", await call("entryList", filter, page));
      },
      async count(filter) {
        checkFilter(filter);
        return call("entryCount", filter);
      },
    },
    nodes: {
      async byId(id) {
        const found = await call("nodeById", id);
        return found === undefined ? undefined : withSoft(found);
      },
      async list(filter, page) {
        checkFilter(filter);
        checkLimit(page.limit);
        return (await call("nodeList", filter, page)).map(withSoft);
      },
      async count(filter) {
        checkFilter(filter);
        return call("nodeCount", filter);
      },
    },
    joinTokens: {
      byHash: async (hash) => first("joinToken", await call("tokenByHash", hash)),
      async expiredBefore(ms, limit) {
        checkLimit(limit);
        return all("joinToken", await call("tokensExpiredBefore", ms, limit));
      },
    },
    authorities: { list: async () => all("authority", await call("authorities")) },
    soft: {
      async upsertNodes(states) {
        checkSoftStates(states);
        await call("upsertSoft", states);
      },
      async nodesAfter(spiffeId, limit) {
        checkLimit(limit);
        return call("softAfter", spiffeId, limit);
      },
    },
    projections: {
      async rowsAfter(after, limit) {
        checkLimit(limit);
        const ref = after && { kindNumber: after.kindNumber, key: after.key };
        return call("rowsAfter", ref, limit);
      },
    },
    reopen: () => call("reopen"),
    close: () => worker.close(),
  };
}

function first<K extends ObjectKind>(
  kind: K,
  found: FoundLeaf | undefined,
): StoredObject<ObjectOf<K>> | undefined {
  return found === undefined ? undefined : readStoredObject(kind, found, found.firstN);
}

function all<K extends ObjectKind>(
  kind: K,
  found: readonly FoundLeaf[],
): StoredObject<ObjectOf<K>>[] {
  return found.map((leaf) => readStoredObject(kind, leaf, leaf.firstN));
}

function withSoft(found: FoundLeaf): StoredNodeObject {
  return { ...readStoredObject("node", found, found.firstN), soft: found.soft };
}
