import type { Incarnation, Position } from "@bonafide/ledger";

/** What a server keeps on its own disk: the newest state that it has told anybody of, and the leaves that led there. */
export interface Memory extends Position {
  readonly incarnation: Incarnation;
  /** `hashAt` knows this n and all up to `n`; older leaves are forgotten. 0: the whole ledger. */
  readonly from: number;
  /** Identity of remembered leaf n, for `from` (unless that is 0) to `n`. */
  hashAt(n: number): string;
}

/** What the connection shows. */
export interface Seen extends Position {
  /** What the connected database is now. */
  readonly incarnation: Incarnation;
  /** Where the head's epoch was opened. */
  readonly openedIn: Incarnation;
  readonly inRecovery: boolean;
  /** Identity of stored leaf n. */
  hashAt(n: number): string;
  /** Epoch of stored leaf n. */
  epochAt(n: number): number;
  /** Whether the audited command, given after leaf `branch`, abandoned the remembered leaf n by its hash. */
  abandoned(branch: number, n: number): boolean;
}

/** What only a person can settle. */
export type HoldReason = "fork" | "beyond-memory" | "rewind-too-large" | "other-database";

/** What to do before the first read or write on a connection. `branch` is the last common leaf. */
export type Verdict =
  | { readonly kind: "go-on" }
  /** Same history, new incarnation (a promotion): open an epoch first. */
  | { readonly kind: "open-epoch"; readonly branch: number }
  /** The store lost leaves that we remember whole: open an epoch and re-append them in the same transaction. */
  | { readonly kind: "rewind"; readonly branch: number }
  /** Another server opened an epoch before we could tell what we remember: re-append what it lacks. */
  | { readonly kind: "late-memory"; readonly branch: number; readonly openEpoch: boolean }
  | { readonly kind: "not-used"; readonly reason: "stale-replica" | "deposed-primary" }
  /** Serve on what is remembered, write nothing, wait for the audited command. */
  | { readonly kind: "hold"; readonly reason: HoldReason; readonly branch: number | undefined };

/** Leaves that may be re-appended without a person. */
export const REAPPEND_MAX = 4096;

/**
 * Compares what a server remembers with what a connection shows.
 *
 * @param memory  undefined: a new server.
 * @spec docs/adr/0023-memory-and-reconcile.md
 */
export function reconcile(memory: Memory | undefined, seen: Seen): Verdict {
  const sameNow = isSame(seen.incarnation, seen.openedIn);
  if (memory === undefined) {
    if (seen.inRecovery) return { kind: "not-used", reason: "stale-replica" };
    if (sameNow) return { kind: "go-on" };
    if (seen.incarnation.system === seen.openedIn.system) {
      return { kind: "open-epoch", branch: seen.n };
    }
    return { kind: "hold", reason: "other-database", branch: undefined };
  }
  const branch = lastCommon(memory, seen);
  if (seen.inRecovery) {
    return branch === memory.n ? { kind: "go-on" } : { kind: "not-used", reason: "stale-replica" };
  }
  const sameSystem = seen.incarnation.system === memory.incarnation.system;
  if (sameSystem && seen.incarnation.timeline < memory.incarnation.timeline) {
    return { kind: "not-used", reason: "deposed-primary" };
  }
  if (branch === undefined) return { kind: "hold", reason: "beyond-memory", branch };
  const lost = memory.n - branch;
  if (lost === 0) return sameNow ? { kind: "go-on" } : { kind: "open-epoch", branch };
  for (let n = branch + 1; n <= memory.n; n += 1) {
    if (seen.abandoned(branch, n)) return { kind: "late-memory", branch, openEpoch: !sameNow };
  }
  if (lost > REAPPEND_MAX) return { kind: "hold", reason: "rewind-too-large", branch };
  if (!sameSystem) return { kind: "hold", reason: "other-database", branch };
  if (branch === seen.n) return { kind: "rewind", branch };
  return seen.epochAt(branch + 1) > memory.epoch
    ? { kind: "late-memory", branch, openEpoch: !sameNow }
    : { kind: "hold", reason: "fork", branch };
}

function lastCommon(memory: Memory, seen: Seen): number | undefined {
  for (let n = Math.min(memory.n, seen.n); n >= memory.from; n -= 1) {
    if (n === 0 || memory.hashAt(n) === seen.hashAt(n)) return n;
  }
  return undefined;
}

function isSame(a: Incarnation, b: Incarnation): boolean {
  return a.system === b.system && a.timeline === b.timeline;
}
