import { readdirSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What a process holds once it has come to rest and garbage was collected. */
export interface HeldResources {
  /** Bytes. */
  readonly heap: number;
  /** Bytes. */
  readonly resident: number;
  readonly descriptors: number;
  readonly timers: number;
}

/** Looks at this process. Collects twice: what finalizers let go of is gone the second time. */
export async function heldResources(): Promise<HeldResources> {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  for (let round = 0; round < 2; round++) {
    await sleep(100);
    if (typeof collect === "function") collect();
  }
  const { heapUsed, rss } = process.memoryUsage();
  return {
    heap: heapUsed,
    resident: rss,
    descriptors: readdirSync("/proc/self/fd").length,
    timers: process.getActiveResourcesInfo().filter((name) => name === "Timeout").length,
  };
}
