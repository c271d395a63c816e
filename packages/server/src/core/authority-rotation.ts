import type { AuthorityObject } from "@bonafide/ledger";

/** What this server knows of a signing authority. Instants are epoch ms. */
export interface OwnAuthority {
  readonly id: string;
  readonly state: AuthorityObject["state"];
  readonly notBefore: number;
  readonly notAfter: number;
  /** When others could begin to learn of it. */
  readonly preparedAt: number;
  /**
   * Whether it is this server's and its private key is in the key manager; otherwise it signs nothing here, and is only
   * put away at its end.
   */
  readonly canSign: boolean;
  /** Whether this server made it. */
  readonly isOurs: boolean;
  /**
   * Whether another has to take over soon, whatever its end is: what it was signed by is tainted, gone, or no longer
   * what this server is set up with.
   */
  readonly isToReplace: boolean;
}

/** The next change to make, or when to look again (epoch ms). Activating one retires every other active one. */
export type RotationStep =
  | { readonly kind: "prepare" }
  | { readonly kind: "prepare-and-activate" }
  | { readonly kind: "activate"; readonly id: string }
  | { readonly kind: "expire"; readonly id: string }
  | { readonly kind: "forget"; readonly id: string }
  /** A prepared one that never can sign: removed without a trace in the bundle. */
  | { readonly kind: "discard"; readonly id: string }
  | { readonly kind: "wait"; readonly until: number };

/** Options of {@link nextRotation}. */
export interface RotationOptions {
  /** How long an expired authority is kept for recovery, ms; 0: not at all (ADR-0063). */
  readonly recoveryWindowMs: number;
  /** How long a prepared authority is published before it may sign when it is needed soon, ms. */
  readonly forcedSpreadMs: number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** A new authority is prepared once the active one has this much left, ms. */
export function prepareBeforeMs(lifetimeMs: number): number {
  return Math.min(lifetimeMs / 2, 30 * DAY_MS);
}

/** The prepared authority takes over once the active one has this much left, ms. */
export function activateBeforeMs(lifetimeMs: number): number {
  return Math.min(lifetimeMs / 6, 7 * DAY_MS);
}

/** How long a prepared authority is published before it may sign, unless its predecessor ends sooner, ms. */
export function spreadMs(lifetimeMs: number): number {
  return Math.min(lifetimeMs / 24, HOUR_MS);
}

/**
 * What to do with this server's authorities now. Call again until it says `wait`.
 *
 * Nothing signs before others could know it: a prepared authority waits for the threshold and for its spreading time,
 * both given up only when the active one is about to end. Only when nothing can sign at all (first start, or everything
 * expired while the server was down) is one prepared and activated at once.
 */
export function nextRotation(
  own: readonly OwnAuthority[],
  now: number,
  options: RotationOptions,
): RotationStep {
  const overdue = own.find(
    (a) => a.notAfter <= now && a.state !== "expired" && a.state !== "revoked",
  );
  const forgotten = own.find(
    (a) =>
      (a.state === "expired" || a.state === "revoked") &&
      a.notAfter + options.recoveryWindowMs <= now,
  );
  const active = newest(own.filter((a) => a.state === "active" && a.canSign && a.notAfter > now));
  const prepared = newest(
    own.filter((a) => a.state === "prepared" && a.canSign && !a.isToReplace && a.notAfter > now),
  );
  const useless = own.find(
    (a) => a.state === "prepared" && a.isOurs && (!a.canSign || a.isToReplace),
  );
  if (useless !== undefined) return { kind: "discard", id: useless.id };
  if (active === undefined) {
    if (prepared === undefined) return { kind: "prepare-and-activate" };
    return { kind: "activate", id: prepared.id };
  }
  // Expired ones go after something can sign: the published bundle is never empty.
  if (overdue !== undefined) return { kind: "expire", id: overdue.id };
  if (forgotten !== undefined) return { kind: "forget", id: forgotten.id };
  const lifetime = active.notAfter - active.notBefore;
  const ends = own.filter((a) => a.state !== "expired" && a.state !== "revoked");
  const nextEnd = Math.min(
    ...ends.map((a) => a.notAfter),
    ...own.filter((a) => !ends.includes(a)).map((a) => a.notAfter + options.recoveryWindowMs),
  );
  if (prepared === undefined) {
    const at = active.isToReplace ? now : active.notAfter - prepareBeforeMs(lifetime);
    return now >= at ? { kind: "prepare" } : { kind: "wait", until: Math.min(at, nextEnd) };
  }
  const spread = spreadMs(lifetime);
  const planned = Math.max(
    active.notAfter - activateBeforeMs(lifetime),
    prepared.preparedAt + spread,
  );
  const soon = prepared.preparedAt + Math.min(spread, options.forcedSpreadMs);
  const at = Math.min(active.isToReplace ? soon : planned, active.notAfter - spread / 4);
  if (now >= at) return { kind: "activate", id: prepared.id };
  return { kind: "wait", until: Math.min(at, nextEnd) };
}

function newest(list: readonly OwnAuthority[]): OwnAuthority | undefined {
  return list.toSorted((a, b) => b.notAfter - a.notAfter || (a.id < b.id ? -1 : 1))[0];
}
