import { BonafideError } from "@bonafide/errors";
import type { Clock } from "@bonafide/lifetime";
import { SERVER_ERRORS } from "../errors.ts";

/**
 * Knows how old this server's picture of the control plane may be: the time since the store last said that nothing is
 * newer. Nothing is issued from a picture older than the limit, so nothing that was removed outlives it by more.
 */
export class Freshness {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #maxStalenessMs: number;
  #confirmedAtMs: number;

  /** @param maxStalenessMs  Oldest picture to serve from, ms. */
  constructor(clock: Pick<Clock, "monotonicMs">, maxStalenessMs: number) {
    this.#clock = clock;
    this.#maxStalenessMs = maxStalenessMs;
    this.#confirmedAtMs = clock.monotonicMs();
  }

  /** The picture was the newest one at this instant (monotonic ms), which is when the store was asked. */
  confirm(askedAtMs: number): void {
    this.#confirmedAtMs = Math.max(this.#confirmedAtMs, askedAtMs);
  }

  /** Age of the picture, ms. */
  ageMs(): number {
    return this.#clock.monotonicMs() - this.#confirmedAtMs;
  }

  /** When the picture becomes too old, in ms from now; negative: it is. */
  remainingMs(): number {
    return this.#maxStalenessMs - this.ageMs();
  }

  /** @throws STORE_STALE */
  assertFresh(): void {
    if (this.remainingMs() > 0) return;
    throw new BonafideError(
      SERVER_ERRORS,
      "STORE_STALE",
      "this server has not reached its store for too long and issues nothing",
      { retryAfterMs: 5000 },
    );
  }
}
