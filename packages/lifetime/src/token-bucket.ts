/** How much a caller may do. */
export interface RateLimit {
  /** Steady rate, units a second, above 0. */
  readonly perSecond: number;
  /** Units that may be taken at once after a pause. */
  readonly burst: number;
}

/** A caller's remaining units at an instant of the monotonic clock. */
export interface TokenBucket {
  readonly units: number;
  readonly atMs: number;
}

/** Taken, or how long to wait until it could be. */
export type Taking =
  | { readonly kind: "taken"; readonly bucket: TokenBucket }
  | { readonly kind: "wait"; readonly retryAfterMs: number }
  | { readonly kind: "never" };

/**
 * Takes `units` from a bucket that refills steadily. `never`: more than the burst was asked, no waiting helps.
 *
 * @param bucket  undefined: a caller not seen lately, whose bucket is full.
 * @param nowMs   Monotonic, ms. An instant before the bucket's own refills nothing.
 */
export function takeUnits(
  bucket: TokenBucket | undefined,
  limit: RateLimit,
  units: number,
  nowMs: number,
): Taking {
  if (units > limit.burst) return { kind: "never" };
  const refilled =
    bucket === undefined
      ? limit.burst
      : Math.min(
          limit.burst,
          bucket.units + (Math.max(0, nowMs - bucket.atMs) * limit.perSecond) / 1000,
        );
  if (refilled >= units) return { kind: "taken", bucket: { units: refilled - units, atMs: nowMs } };
  return {
    kind: "wait",
    retryAfterMs: Math.ceil(((units - refilled) * 1000) / limit.perSecond),
  };
}
