/** Calls of a batch: less than a millisecond, shorter than a slice of the scheduler. */
const BATCH = 5;

/**
 * Calls a second of each. Short batches of each in turn, and the batch at the lower quartile counts: what else the machine
 * does falls on all of them alike, and a batch that was interrupted does not decide.
 *
 * @param windowMs  How long to measure; each is called at least once.
 * @returns Calls a second, in the order of the calls.
 */
export function steadyRates(
  calls: readonly (() => unknown)[],
  windowMs: number,
): readonly number[] {
  const batches = calls.map((): number[] => []);
  const begun = performance.now();
  do {
    for (const [index, call] of calls.entries()) batches[index]?.push(batchMs(call));
  } while (performance.now() - begun < windowMs);
  return batches.map((times) => (BATCH * 1000) / lowerQuartile(times));
}

function batchMs(call: () => unknown): number {
  const start = performance.now();
  for (let i = 0; i < BATCH; i++) call();
  return performance.now() - start;
}

function lowerQuartile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? Number.NaN;
}
