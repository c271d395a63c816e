import type { Check } from "./find-checks.ts";
import { firstFailure, type Reach, testGroups } from "./run-mutant.ts";

/** What became of a mutant: the test file and test that noticed, or nobody did. */
export type Verdict = { readonly file: string; readonly test: string } | undefined;

/** Groups of tests that fail without a mutant, in one process as they run here, prove nothing. */
const sound = new Map<string, Promise<boolean>>();

function isSound(files: readonly string[]): Promise<boolean> {
  const key = files.join();
  const known = sound.get(key) ?? firstFailure(files, undefined).then((name) => name === undefined);
  sound.set(key, known);
  return known;
}

/** Takes a check out and runs the tests nearest to it, then the others of its package, until one fails. */
export async function judgeMutant(check: Check, reach: Reach): Promise<Verdict> {
  for (const group of testGroups(check.file, reach)) {
    if (group.length === 0) continue;
    const test = await firstFailure(group, check);
    if (test === undefined) continue;
    if (group.length === 1 || (await isSound(group))) {
      return { file: group.length === 1 ? (group[0] ?? "") : "", test };
    }
    for (const file of group) {
      const alone = await firstFailure([file], check);
      if (alone !== undefined && (await isSound([file]))) return { file, test: alone };
    }
  }
  return undefined;
}
