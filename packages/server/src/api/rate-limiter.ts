import { BonafideError } from "@bonafide/errors";
import {
  type Clock,
  type RateLimit,
  slept,
  type Taking,
  takeUnits,
  type TokenBucket,
} from "@bonafide/lifetime";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** Token buckets by name (a node, an address), bounded: the one unused for longest is forgotten, which only refills it. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #limit: RateLimit;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock, limit: RateLimit) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /**
   * Takes units for a caller.
   *
   * @throws OVERLOADED  none are left; says when to come again, unless more than the burst was asked
   */
  take(name: string, units = 1): void {
    const taking = this.#try(name, units);
    if (taking.kind === "taken") return;
    throw new BonafideError(
      SERVER_ERRORS,
      "OVERLOADED",
      taking.kind === "never" ? "more was asked than is ever given at once" : "too many calls",
      taking.kind === "never" ? {} : { retryAfterMs: taking.retryAfterMs },
    );
  }

  /**
   * Takes units for a caller whose call is under way: waits for them instead of refusing.
   *
   * @returns false: the signal aborted first
   * @throws OVERLOADED  more than the burst was asked
   */
  async pace(name: string, units: number, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      if (signal.aborted) return false;
      const taking = this.#try(name, units);
      if (taking.kind === "taken") return true;
      if (taking.kind === "never") this.take(name, units);
      else await slept(this.#clock, taking.retryAfterMs, signal);
    }
  }

  #try(name: string, units: number): Taking {
    const now = this.#clock.monotonicMs();
    const taking = takeUnits(this.#buckets.get(name), this.#limit, units, now);
    if (taking.kind !== "taken") return taking;
    this.#buckets.delete(name);
    this.#buckets.set(name, taking.bucket);
    const oldest =
      this.#buckets.size > LIMITS.rateBuckets ? this.#buckets.keys().next() : undefined;
    if (oldest?.done === false) this.#buckets.delete(oldest.value);
    return taking;
  }
}
