import type { Clock } from "@bonafide/lifetime";

/** Lets one loop sleep until somebody has work for it; a wake-up before the sleep is not lost. */
export class Wake {
  readonly #clock: Clock;
  #pending = false;
  #resolve: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a wake-up came that nobody has seen yet. */
  get isPending(): boolean {
    return this.#pending;
  }

  /** Ends the current wait, or the next one at once. */
  wake(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  /**
   * Waits for {@link Wake.wake} or for `ms`. One waiter at a time.
   *
   * @param ms  Undefined waits for a wake-up only.
   * @throws the signal's reason
   */
  async wait(ms: number | undefined, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#pending) {
      const ended = new AbortController();
      const woken = new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
      const aborted = (): void => {
        this.#resolve?.();
      };
      signal.addEventListener("abort", aborted, { once: true });
      try {
        const timer =
          ms === undefined ? [] : [this.#clock.sleep(ms, { signal: ended.signal }).catch(() => {})];
        await Promise.race([woken, ...timer]);
      } finally {
        ended.abort();
        signal.removeEventListener("abort", aborted);
        this.#resolve = undefined;
      }
    }
    this.#pending = false;
    signal.throwIfAborted();
  }
}
