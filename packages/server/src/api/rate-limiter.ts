import { BonafideError } from "@bonafide/errors";
import { type Clock, type RateLimit, takeUnits, type TokenBucket } from "@bonafide/lifetime";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** Token buckets by name (a node, an address), bounded: the one unused for longest is forgotten, which only refills it. */
export class RateLimiter {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #limit: RateLimit;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Pick<Clock, "monotonicMs">, limit: RateLimit) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /**
   * Takes units for a caller.
   *
   * @throws OVERLOADED  none are left; says when to come again, unless more than the burst was asked
   */
  take(name: string, units = 1): void {
    const taking = takeUnits(
      this.#buckets.get(name),
      this.#limit,
      units,
      this.#clock.monotonicMs(),
    );
    if (taking.kind === "taken") {
      this.#buckets.delete(name);
      this.#buckets.set(name, taking.bucket);
      const oldest =
        this.#buckets.size > LIMITS.rateBuckets ? this.#buckets.keys().next() : undefined;
      if (oldest?.done === false) this.#buckets.delete(oldest.value);
      return;
    }
    throw new BonafideError(
      SERVER_ERRORS,
      "OVERLOADED",
      taking.kind === "never" ? "more was asked than is ever given at once" : "too many calls",
      taking.kind === "never" ? {} : { retryAfterMs: taking.retryAfterMs },
    );
  }
}
