import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ManualClock } from "@bonafide/lifetime/testing";
import type { LedgerStore, Store } from "@bonafide/plugin-api";
import { MemoryDatabase, openMemoryStore } from "@bonafide/plugin-api/testing";
import { openLedger } from "../open-ledger.ts";
import type { LedgerEvent, OpenedLedger } from "../opened-ledger.ts";

/** One server's folder and one database, opened as often as a test likes. */
export class LedgerBench {
  readonly database: MemoryDatabase = new MemoryDatabase();
  readonly folder: string = mkdtempSync("/tmp/bf-open-");
  readonly events: LedgerEvent[] = [];
  readonly opened: OpenedLedger[] = [];

  async open(
    server = "server-1",
    slot = 0,
    database: MemoryDatabase = this.database,
    store: Store = openMemoryStore(database),
  ): Promise<OpenedLedger> {
    const ledger = await openLedger(
      {
        store,
        clock: new ManualClock(1_795_000_000_000),
        report: (event) => this.events.push(event),
      },
      {
        trustDomain: "example.org",
        serverId: server,
        memoryDir: join(this.folder, server),
        slot,
        version: "0.1",
      },
    );
    this.opened.push(ledger);
    return ledger;
  }
}

/** The store with another way to append. */
export function withAppend(store: Store, append: LedgerStore["append"]): Store {
  const ledger = new Proxy(store.ledger, {
    get: (target, name) => {
      if (name === "append") return append;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "ledger") return ledger;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Runs a test on a bench of its own. */
export async function withBench(run: (bench: LedgerBench) => Promise<void>): Promise<void> {
  const bench = new LedgerBench();
  try {
    await run(bench);
  } finally {
    for (const ledger of bench.opened) await ledger.close();
    rmSync(bench.folder, { recursive: true });
  }
}
