import { readFileSync } from "node:fs";

/** What the kernel uses unless it was told otherwise, and what the accounts `nobody` and `nogroup` usually have. */
const USUAL = 65_534;

/** Numbers that stand for every id without a mapping in our user namespace: they are nobody's, and never attested. */
export interface OverflowIds {
  readonly uids: ReadonlySet<number>;
  readonly gids: ReadonlySet<number>;
  /** Whether every id is mapped here: then a caller with such a number really has it. */
  readonly allMapped: boolean;
}

let known: OverflowIds | undefined;

/** Reads the numbers once; what cannot be read is taken for the usual. */
export function overflowIds(): OverflowIds {
  known ??= {
    uids: new Set([USUAL, numberIn("/proc/sys/kernel/overflowuid")]),
    gids: new Set([USUAL, numberIn("/proc/sys/kernel/overflowgid")]),
    allMapped: mapsAll(textOf("/proc/self/uid_map")) && mapsAll(textOf("/proc/self/gid_map")),
  };
  return known;
}

/** Whether a map of ids, such as `0 0 4294967295`, has every id, each as itself. */
export function mapsAll(map: string): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(map);
}

function numberIn(path: string): number {
  const text = textOf(path).trim();
  return /^\d{1,10}$/.test(text) ? Number(text) : USUAL;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
