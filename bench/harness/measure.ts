import type { Bench, Sample } from "./bench.ts";

/** How long and how often a bench is measured. */
export interface Effort {
  readonly windows: number;
  readonly windowMs: number;
  readonly brief: boolean;
}

/** Judged figures, the default: the best of five windows. */
export const FULL: Effort = { windows: 5, windowMs: 2_000, brief: false };

/** One short window, which only shows that the bench still works. */
export const BRIEF: Effort = { windows: 1, windowMs: 100, brief: true };

/** One line of `npm run bench`. */
export interface BenchLine extends Sample {
  readonly bench: string;
  readonly unit: string;
}

/**
 * The best window of a bench: by its target's number and direction; without a target by the value, of which more is
 * better when it is a rate.
 */
export async function measure(bench: Bench, effort: Effort): Promise<BenchLine> {
  const { windows, windowMs, brief } = effort;
  let best: Sample | undefined;
  for (let window = 0; window < windows; window++) {
    const sample = await bench.run({ windowMs, brief });
    const numbers = [sample.value, sample.ratio ?? 0, sample.yardstick ?? 0];
    if (numbers.some((number) => !Number.isFinite(number))) {
      throw new Error(`${bench.name}: a number is not finite: ${JSON.stringify(sample)}`);
    }
    if (best === undefined || isBetter(bench, sample, best)) best = sample;
  }
  if (best === undefined) throw new Error(`${bench.name}: no window`);
  const { value, yardstick, ratio } = best;
  return { bench: bench.name, value, unit: bench.unit, yardstick, ratio };
}

/** Whether a line reaches its target; a bench without one always does. */
export function reaches(bench: Bench, line: BenchLine): boolean {
  const { target } = bench;
  if (target === null) return true;
  const number = line[target.of];
  if (number === null) return false;
  return number >= (target.atLeast ?? -Infinity) && number <= (target.atMost ?? Infinity);
}

/** Problems with the declaration of benches: doubled names, targets that judge nothing. */
export function declarationProblems(benches: readonly Bench[]): string[] {
  const names = benches.map((bench) => bench.name);
  const doubled = names.filter((name, at) => names.indexOf(name) !== at);
  const vague = benches.filter(
    ({ target }) =>
      target !== null && (target.atLeast === undefined) === (target.atMost === undefined),
  );
  return [
    ...doubled.map((name) => `${name}: declared twice`),
    ...vague.map(({ name }) => `${name}: a target has exactly one of atLeast and atMost`),
    ...(benches.length === 0 ? ["no benches"] : []),
  ];
}

function isBetter(bench: Bench, sample: Sample, best: Sample): boolean {
  const of = bench.target?.of ?? "value";
  const [now, before] = [sample[of] ?? 0, best[of] ?? 0];
  const isMoreBetter =
    bench.target === null ? bench.unit === "1/s" : bench.target.atLeast !== undefined;
  return isMoreBetter ? now > before : now < before;
}
