import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { systemClock } from "@bonafide/lifetime";
import { openLedger, type OpenedLedger } from "@bonafide/server";
import { openSqliteStore } from "@bonafide/store-sqlite";
import { type Bench, type Sample, sampleOf, type WindowOptions } from "./harness/bench.ts";

const BY = { actor: { via: "bench", uid: 0 }, cause: "bench" } as const;

interface Site {
  readonly ledger: OpenedLedger;
  readonly dir: string;
  readonly close: () => Promise<void>;
}

/** A ledger on a new file, in the working folder: the disk is what is measured. */
async function openSite(): Promise<Site> {
  const dir = mkdtempSync(join(process.cwd(), ".bench-ledger-"));
  const store = await openSqliteStore({ path: join(dir, "ledger.db") });
  const options = {
    trustDomain: "example.org",
    serverId: "bench",
    memoryDir: join(dir, "memory"),
    version: "0.1",
  };
  const ledger = await openLedger({ store, clock: systemClock }, options);
  const close = async (): Promise<void> => {
    await ledger.close();
    await store.close();
    rmSync(dir, { recursive: true });
  };
  return { ledger, dir, close };
}

/** 4 KiB writes with fdatasync a second: what the disk gives a lone writer. */
function diskYardstick(dir: string, ms: number): number {
  const file = openSync(join(dir, "yardstick"), "w");
  const page = Buffer.alloc(4096);
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ms) {
    writeSync(file, page);
    fdatasyncSync(file);
    count += 1;
  }
  closeSync(file);
  return (count / (performance.now() - start)) * 1000;
}

/** Changes a second through lane, memory file and SQLite, by callers that submit one after the other. */
async function changesPerSecond(callers: number, options: WindowOptions): Promise<Sample> {
  const site = await openSite();
  try {
    const start = performance.now();
    let count = 0;
    let serial = 0;
    const load = Array.from({ length: callers }, async () => {
      while (performance.now() - start < options.windowMs) {
        serial += 1;
        const name = `setting-${serial}`;
        await site.ledger.lane.submit(() => [{ put: { kind: "setting", name, value: "v" } }], BY);
        count += 1;
      }
    });
    await Promise.all(load);
    const perSecond = (count / (performance.now() - start)) * 1000;
    return sampleOf(perSecond, diskYardstick(site.dir, Math.min(options.windowMs, 500)));
  } finally {
    await site.close();
  }
}

/** Writing: the yardstick is what the disk flushes a second, so batches exceed 1. */
export const benches: readonly Bench[] = [
  {
    name: "ledger-change/1-caller",
    unit: "1/s",
    target: null,
    run: (options) => changesPerSecond(1, options),
  },
  {
    name: "ledger-change/100-callers",
    unit: "1/s",
    target: null,
    run: (options) => changesPerSecond(100, options),
  },
  {
    name: "ledger-change/1000-callers",
    unit: "1/s",
    target: null,
    run: (options) => changesPerSecond(1000, options),
  },
];
