import { nextTurn } from "../next-turn.ts";

/** Longest stretch of work on the main loop, ms; other calls are to wait 5 at most. */
const SLICE_MS = 4;

/** Lets others run whenever a stretch of work has lasted long enough. Call `pause` between its steps. */
export class TimeSlices {
  #since: number = performance.now();

  /** Resolves at once, or on a later turn when the slice is used up. */
  async pause(): Promise<void> {
    if (performance.now() - this.#since < SLICE_MS) return;
    await nextTurn();
    this.#since = performance.now();
  }
}

/** Maps a list of any length, letting others run in between. */
export async function mapSliced<T, R>(items: Iterable<T>, map: (item: T) => R): Promise<R[]> {
  const slices = new TimeSlices();
  const mapped: R[] = [];
  for (const item of items) {
    await slices.pause();
    mapped.push(map(item));
  }
  return mapped;
}
