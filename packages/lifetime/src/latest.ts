/**
 * A current value and a stream of later ones, where a slow reader skips to the newest.
 *
 * Readers never see a value twice in one iteration and never an older one after a newer one. Bounded by construction:
 * nothing is queued.
 */
export class Latest<T> {
  #value: T;
  #version = 0;
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(initial: T) {
    this.#value = initial;
  }

  /** The newest value; the last one after {@link Latest.close}. */
  get value(): T {
    return this.#value;
  }

  /** Whether {@link Latest.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Replaces the value and wakes all readers. Ignored after {@link Latest.close}. */
  set(value: T): void {
    if (this.#closed) return;
    this.#value = value;
    this.#version++;
    this.#wake();
  }

  /** Ends all iterations once they have seen the newest value. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /**
   * Yields the current value first, then each newest one. Ends at close, and without an error when `signal` aborts.
   */
  async *updates(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<T, void, void> {
    const { signal } = options;
    for (let seen = -1; !isAborted(signal);) {
      if (seen !== this.#version) {
        seen = this.#version;
        yield this.#value;
        continue;
      }
      if (this.#closed) return;
      await this.#changed(signal);
    }
  }

  #changed(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      // An aborted reader must not stay behind in the list until the next change, which may never come.
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== wake);
        resolve();
      };
      this.#waiting.push(wake);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}
