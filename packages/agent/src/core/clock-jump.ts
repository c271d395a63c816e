import type { EpochMs } from "@bonafide/lifetime";

/** Both clocks, read together: the monotonic one before and after the wall clock. */
export interface ClockReading {
  readonly beforeMs: number;
  readonly now: EpochMs;
  readonly afterMs: number;
}

/** Smaller differences are nobody's business, ms. */
const JUMP_MS_MIN = 1000;

/**
 * How far the wall clock went beyond the monotonic one between two readings, ms: positive after the machine slept or the
 * clock was set ahead, negative after it was set back, 0 if what was read can be explained without a jump.
 */
export function jumpBetween(first: ClockReading, later: ClockReading): number {
  // A process may stand still between two reads, so a reading bounds the difference of the clocks from both sides.
  const least = later.now - later.afterMs - (first.now - first.beforeMs);
  const most = later.now - later.beforeMs - (first.now - first.afterMs);
  if (least >= JUMP_MS_MIN) return least;
  return most <= -JUMP_MS_MIN ? most : 0;
}
