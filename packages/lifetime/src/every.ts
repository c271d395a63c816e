import type { Clock } from "./clock.ts";
import { slept } from "./slept.ts";

/** What {@link every} works with. */
export interface EveryOptions {
  readonly clock: Clock;
  /** Rest before each turn, counted from the end of the one before, ms. */
  readonly ms: number;
  /** Told of a turn that failed; the next comes all the same. Must not throw. */
  readonly failed: (error: unknown) => void;
}

/** Rests, runs `turn`, and so on until the signal aborts. Turns never overlap, and none is cut short. */
export async function every(
  { clock, ms, failed }: EveryOptions,
  turn: (signal: AbortSignal) => Promise<void> | void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && (await slept(clock, ms, signal))) {
    try {
      await turn(signal);
    } catch (error) {
      failed(error);
    }
  }
}
