/** Options of {@link backoffMs}. */
export interface BackoffOptions {
  /** Delay after the first failure, ms, default 1000. */
  readonly firstMs?: number;
  /** Longest delay, ms, default 30000. */
  readonly maxMs?: number;
  /** Factor per further failure, default 1.5. */
  readonly factor?: number;
}

/**
 * The delay before try `failures + 1`, between half of the nominal delay and all of it.
 *
 * @param failures  Failures in a row so far, 1 or more.
 * @param fraction  Uniform in [0, 1); spreads clients that failed together.
 */
export function backoffMs(
  failures: number,
  fraction: number,
  options: BackoffOptions = {},
): number {
  const { firstMs = 1000, maxMs = 30_000, factor = 1.5 } = options;
  const nominal = Math.min(maxMs, firstMs * factor ** (failures - 1));
  return nominal / 2 + (nominal / 2) * fraction;
}
