import { closeSync, fstatSync, readFileSync, writeSync } from "node:fs";

const READY_FD = 3;
const SECRET_FD = 4;

/**
 * Tells whoever started this process that it serves: one line of JSON on descriptor 3, which is then closed. Does
 * nothing without `asked`, since descriptor 3 may be anything.
 */
export function tellReady(asked: boolean, facts: Readonly<Record<string, string>>): void {
  if (!asked) return;
  writeSync(READY_FD, `${JSON.stringify(facts)}\n`);
  closeSync(READY_FD);
}

/** A secret handed over on descriptor 4 by whoever started this process; undefined if it gave none. */
export function readSecret(asked: boolean): string | undefined {
  if (!asked) return undefined;
  // What a parent hands over is a pipe or half a socket pair; anything else there is not meant for us.
  const stats = fstatSync(SECRET_FD);
  if (!stats.isFIFO() && !stats.isSocket()) return undefined;
  const text = readFileSync(SECRET_FD, "utf8").trim();
  closeSync(SECRET_FD);
  return text === "" ? undefined : text;
}
