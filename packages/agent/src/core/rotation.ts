import type { EpochMs } from "@bonafide/lifetime";

/** Validity of a certificate. */
export interface Validity {
  readonly notBefore: EpochMs;
  readonly notAfter: EpochMs;
}

/** When an SVID is replaced and when it ends, on the monotonic clock (ADR-0071). */
export interface RotationPlan {
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

/** Width of the jitter around half life, as a part of the lifetime. */
const JITTER = 0.1;

/** How far servers set `notBefore` back, ms: SPIRE's do, and ours. */
const BACKDATED_MS = 10_000;

/**
 * When a fresh SVID was made, by the clock that made it: `now` where that is within its validity, else near its
 * beginning. So an SVID that lives for less than our clock runs ahead has its whole life all the same (ADR-0150).
 */
export function madeAt({ notBefore, notAfter }: Validity, now: EpochMs): EpochMs {
  if (now >= notBefore && now < notAfter) return now;
  return notBefore + Math.min(BACKDATED_MS, Math.max(0, notAfter - notBefore) / 4);
}

/**
 * Plans replacement at half of the life that was left at receipt, 45 to 55 % of it.
 *
 * Counted from receipt and not from `notBefore`: the latter is backdated, and with SVIDs of seconds that alone would
 * put half life into the past.
 *
 * @param receivedAt  Wall time of receipt; later than `now` or before `notBefore` is not believed. After `notAfter` it
 *                    tells how far this clock runs ahead, see {@link madeAt}.
 * @param now         Wall time that belongs to `monotonicMs`, by the same clock as `receivedAt`.
 * @param fraction    Uniform in [0, 1).
 */
export function planRotation(
  validity: Validity,
  at: {
    readonly receivedAt: EpochMs;
    readonly now: EpochMs;
    readonly monotonicMs: number;
    readonly fraction: number;
  },
): RotationPlan {
  const { receivedAt } = at;
  const isAhead = receivedAt >= validity.notAfter && at.now >= receivedAt;
  const aheadMs = isAhead ? receivedAt - madeAt(validity, receivedAt) : 0;
  const now = at.now - aheadMs;
  const received = Math.max(validity.notBefore, Math.min(receivedAt - aheadMs, now));
  const life = Math.max(0, validity.notAfter - received);
  const used = Math.max(0, now - received);
  const share = 0.5 + JITTER * (at.fraction - 0.5);
  return {
    renewAtMs: at.monotonicMs + Math.max(0, life * share - used),
    expiresAtMs: at.monotonicMs + Math.max(0, life - used),
  };
}

/**
 * The plan after the clocks went apart: due at once, and at its end as soon as the wall clock or the old plan says so.
 * What the jump was, sleep or a setting, is not known; replacing too early harms nobody.
 *
 * @param at.now  Wall time, corrected by the known clock offset.
 */
export function planAfterJump(
  plan: RotationPlan,
  notAfter: EpochMs,
  at: { readonly now: EpochMs; readonly monotonicMs: number },
): RotationPlan {
  const { now, monotonicMs } = at;
  return {
    renewAtMs: Math.min(plan.renewAtMs, monotonicMs),
    expiresAtMs: Math.min(plan.expiresAtMs, monotonicMs + Math.max(0, notAfter - now)),
  };
}

/** Why an SVID has to be replaced. */
export type RotationReason = "none" | "entry_changed" | "authority_gone" | "expired" | "half_life";

/** What {@link rotationReason} judges. */
export interface HeldSvid {
  readonly revision: bigint;
  readonly createdAt: bigint;
  readonly plan: RotationPlan;
  /** From when it may not stay for its authority's sake, monotonic ms: tainted, or not in the bundle. */
  readonly replaceAtMs: number;
}

/** Why `held` must be replaced now; `none` when it need not. */
export function rotationReason(
  held: HeldSvid,
  entry: { readonly revision: bigint; readonly createdAt: bigint },
  monotonicMs: number,
): RotationReason {
  if (held.revision !== entry.revision || held.createdAt !== entry.createdAt)
    return "entry_changed";
  if (monotonicMs >= held.replaceAtMs) return "authority_gone";
  if (monotonicMs >= held.plan.expiresAtMs) return "expired";
  if (monotonicMs >= held.plan.renewAtMs) return "half_life";
  return "none";
}
