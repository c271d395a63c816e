import type { Bench } from "./bench.ts";
import { type BenchLine, reaches } from "./measure.ts";

/** On what the numbers were taken. */
export interface Setting {
  /** `Linux 6.8 x64, 2 x Some CPU, 8 GB`. */
  readonly machine: string;
  readonly node: string;
  /** Abbreviated commit, with `+` when the tree had changes. */
  readonly commit: string;
  /** `2026-11-22`. */
  readonly date: string;
}

/** Writes `bench/results.md` from measured lines. */
export function renderResults(
  setting: Setting,
  measured: readonly { readonly bench: Bench; readonly line: BenchLine }[],
): string {
  const rows = measured.map(({ bench, line }) => {
    const { value, yardstick, ratio, unit } = line;
    const cells = [
      bench.name,
      `${round(value)} ${unit}`,
      yardstick === null ? "" : `${round(yardstick)} ${unit}`,
      ratio === null ? "" : ratio.toFixed(2),
      describeTarget(bench),
      bench.target === null ? "" : reaches(bench, line) ? "yes" : "**no**",
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return `# Benchmark results

Written by \`npm run bench -- --write\`; never by hand. Best of five windows. The yardstick is the physical limit, measured in the same process beside the value. Tests that take minutes: [long-runs.md](long-runs.md).

- machine: ${setting.machine}
- runtime: Node ${setting.node}
- commit: ${setting.commit}
- date: ${setting.date}

| bench | value | yardstick | ratio | target | reached |
|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

/** `ratio >= 0.6`, for people. */
export function describeTarget({ target }: Bench): string {
  if (target === null) return "";
  const { of, atLeast, atMost } = target;
  return atLeast === undefined ? `${of} <= ${String(atMost)}` : `${of} >= ${atLeast}`;
}

function round(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(digits);
}
