import { BonafideError } from "@bonafide/errors";
import { equalBytes } from "./bytes.ts";
import { LEDGER_ERRORS } from "./errors.ts";
import { EPOCH_MAX, N_MAX } from "./limits.ts";

/** A place in the ledger: n leaves, the last of them written in `epoch`. Ordered by epoch, then n. */
export interface Position {
  readonly epoch: number;
  readonly n: number;
}

/** Names one state of the ledger, by its place and its RFC 6962 root (32 bytes). */
export interface StateName extends Position {
  readonly root: Uint8Array;
}

const N_SPAN = 2 ** 36;

/**
 * The number on every wire: `epoch * 2^36 + n`, a safe integer. Bundle sequence, stream revision and entry revision are
 * all of this; no other code may compute it.
 *
 * @throws LEDGER_NUMBER_RANGE
 */
export function wireNumber(position: Position): number {
  const { epoch, n } = position;
  const right =
    Number.isInteger(epoch) && Number.isInteger(n) && epoch >= 0 && n >= 0 && epoch <= EPOCH_MAX;
  if (!right || n > N_MAX) throw outOfRange();
  return epoch * N_SPAN + n;
}

/**
 * Reads a wire number.
 *
 * @throws LEDGER_NUMBER_RANGE
 */
export function parseWireNumber(value: number): Position {
  if (!Number.isSafeInteger(value) || value < 0) throw outOfRange();
  return { epoch: Math.floor(value / N_SPAN), n: value % N_SPAN };
}

/**
 * The number to tell for an object or a list whose own newest leaf is at `own`, while the newest epoch was opened at
 * `floor`. An epoch's opening leaf is a floor: an object that a lost leaf had touched would otherwise fall back to its
 * older number, and a reader that saw the higher one would keep the lost content.
 */
export function flooredNumber(own: Position, floor: Position): number {
  return Math.max(wireNumber(own), wireNumber(floor));
}

/** Below 0: `a` comes before `b`; 0: the same place. */
export function comparePositions(a: Position, b: Position): number {
  return a.epoch - b.epoch || a.n - b.n;
}

/** Same state, root included. */
export function sameState(a: StateName, b: StateName): boolean {
  return comparePositions(a, b) === 0 && equalBytes(a.root, b.root);
}

function outOfRange(): BonafideError {
  return new BonafideError(LEDGER_ERRORS, "LEDGER_NUMBER_RANGE", "not a ledger number");
}
