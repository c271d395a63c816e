import type { Clock } from "../clock.ts";

/** A clock whose wall time runs a fixed distance from another's: "the same, eight days later". */
export function shiftedClock(clock: Clock, ms: number): Clock {
  return {
    now: () => clock.now() + ms,
    monotonicMs: () => clock.monotonicMs(),
    sleep: (delay, options) => clock.sleep(delay, options),
  };
}
