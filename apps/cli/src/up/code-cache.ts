import { chownSync, lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/**
 * A folder in which a workload of the demo keeps its compiled code: starting is mostly compiling. A user of its own gets
 * a folder of its own, since whoever can write there decides what the next process of that user runs.
 *
 * @param shared  This process's own folder (`NODE_COMPILE_CACHE`); none: no cache.
 * @param uid     The workload's user; none: this process's.
 * @returns the folder; undefined where there is none that only this user can write
 */
export function codeCacheOf(
  shared: string | undefined,
  uid: number | undefined,
): string | undefined {
  if (shared === undefined || uid === undefined) return shared;
  const folder = join(shared, `user-${uid}`);
  try {
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, uid, uid);
  } catch {
    // It is there from an earlier run, or cannot be made: the next line tells.
  }
  const found = lstatSync(folder, { throwIfNoEntry: false });
  const isOurs = found?.isDirectory() === true && found.uid === uid;
  return isOurs && lstatSync(shared).uid === process.getuid?.() ? folder : undefined;
}
