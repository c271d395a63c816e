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

const SAMPLES = 8;
const APART_MS = 250;

/**
 * Looks at this process: the least of several samples, each after a collection. What finalizers let go of is gone the
 * second time, and pages that the allocator has no use for go back to the system in the background.
 */
export async function heldResources(): Promise<HeldResources> {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  const least = { heap: Infinity, resident: Infinity, descriptors: Infinity, timers: Infinity };
  for (let sample = 0; sample < SAMPLES; sample++) {
    await sleep(APART_MS);
    // The last resort also gives up what was kept to be faster: it is no leak, and hides one.
    if (typeof collect === "function") collect({ type: "major", flavor: "last-resort" });
    const { heapUsed, rss } = process.memoryUsage();
    least.heap = Math.min(least.heap, heapUsed);
    least.resident = Math.min(least.resident, rss);
    least.descriptors = Math.min(least.descriptors, readdirSync("/proc/self/fd").length);
    const timers = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    least.timers = Math.min(least.timers, timers);
  }
  return least;
}
