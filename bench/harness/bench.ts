/** What one window of a benchmark measured. */
export interface Sample {
  /** In the bench's unit. */
  readonly value: number;
  /** The physical limit taken in the same process and unit; null where the target is absolute. */
  readonly yardstick: number | null;
  /** `value / yardstick`; null without a yardstick. */
  readonly ratio: number | null;
}

/** What a benchmark has to reach, judged by `npm run bench -- --check`. */
export interface Target {
  /** Which number of the sample is judged. */
  readonly of: "value" | "ratio";
  /** Bigger is better, and at least this. */
  readonly atLeast?: number;
  /** Smaller is better, and at most this. Exactly one of the two is given. */
  readonly atMost?: number;
}

/** Options of one window. */
export interface WindowOptions {
  /** How long to measure, in ms; a bench that does a fixed amount of work reads it as a hint. */
  readonly windowMs: number;
  /** True in a short run that only shows that the bench still works. */
  readonly brief: boolean;
}

/**
 * One metric. A file `bench/<subject>.ts` exports `benches: readonly Bench[]`; loading it does no work.
 *
 * A bench with several metrics is several benches named `name/metric`, which may share what they measured.
 */
export interface Bench {
  /** `x509-issue`, `entry-to-svid/p99`. */
  readonly name: string;
  /** `1/s`, `ms`, `MB`. */
  readonly unit: string;
  readonly target: Target | null;
  /** Measures one window; called five times, or once when brief. Leaves nothing open. */
  run(options: WindowOptions): Promise<Sample>;
}

/** Makes a sample from a value and its yardstick. */
export function sampleOf(value: number, yardstick: number | null): Sample {
  return { value, yardstick, ratio: yardstick === null ? null : value / yardstick };
}
