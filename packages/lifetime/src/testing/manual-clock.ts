import type { Clock, EpochMs } from "../clock.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. Wall and monotonic time can be moved apart. */
export class ManualClock implements Clock {
  #now: EpochMs;
  #monotonicMs = 0;
  #sleepers: Sleeper[] = [];

  /** @param now  Wall time to start at, epoch ms, default 2026-01-01T00:00:00Z. */
  constructor(now: EpochMs = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): EpochMs {
    return this.#now;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** How many sleeps are pending; tests assert that none is left behind. */
  get sleepers(): number {
    return this.#sleepers.length;
  }

  sleep(ms: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const sleeper: Sleeper = {
        at: this.#monotonicMs + Math.max(ms, 0),
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#sleepers.push(sleeper);
    });
  }

  /** Lets `ms` pass, waking sleepers in order; awaits a few turns after each so that their followers run. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonicMs + ms;
    for (;;) {
      const next = this.#sleepers
        .filter((sleeper) => sleeper.at <= end)
        .reduce<Sleeper | undefined>((a, b) => (a === undefined || b.at < a.at ? b : a), undefined);
      const target = next?.at ?? end;
      this.#now += target - this.#monotonicMs;
      this.#monotonicMs = target;
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
      next.wake();
      await turns();
    }
    await turns();
  }

  /** Sets the wall clock without letting time pass, as an operator or NTP does. */
  jump(ms: number): void {
    this.#now += ms;
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
