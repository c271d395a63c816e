import { setTimeout as sleepOnTimer } from "node:timers/promises";

/** Milliseconds since 1970-01-01 UTC. */
export type EpochMs = number;

/**
 * The only way to know or to wait for time.
 *
 * `now` may jump either way when the machine's clock is set; `monotonicMs` never falls and is what durations and
 * rotation run on (ADR-0071). Safe for concurrent use.
 */
export interface Clock {
  /** Wall time. */
  now(): EpochMs;
  /** Milliseconds since some fixed instant in this process. */
  monotonicMs(): number;
  /**
   * Resolves after `ms` (0 or less: on a later turn). Rejects with the signal's reason once it aborts; the timer is
   * then gone. Does not keep the process alive by itself when `unref` is set.
   */
  sleep(
    ms: number,
    options?: { readonly signal?: AbortSignal; readonly unref?: boolean },
  ): Promise<void>;
}

/** Longest delay of one timer in ms; Node turns longer ones into 1 ms. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, options = {}) {
    options.signal?.throwIfAborted();
    for (let rest = Math.max(ms, 0); ; rest -= TIMER_MS_MAX) {
      const step = Math.min(rest, TIMER_MS_MAX);
      try {
        await sleepOnTimer(step, undefined, {
          ref: options.unref !== true,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        });
      } catch (error) {
        options.signal?.throwIfAborted();
        throw error;
      }
      if (rest <= TIMER_MS_MAX) return;
    }
  },
};
