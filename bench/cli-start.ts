import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { type Bench, sampleOf } from "./harness/bench.ts";

const BUNDLE = "dist/bonafide.mjs";

/** How much longer the bundled command line takes to start than Node alone. */
export const benches: readonly Bench[] = [
  {
    name: "cli-start",
    unit: "ms",
    target: { of: "value", atMost: 60 },
    run({ brief }) {
      if (!existsSync(BUNDLE)) throw new Error(`${BUNDLE} is missing: npm run build`);
      const rounds = brief ? 3 : 15;
      const bare: number[] = [];
      const bundled: number[] = [];
      for (let round = 0; round < rounds; round++) {
        bare.push(timeOf(["-e", "0"]));
        bundled.push(timeOf([BUNDLE, "--version"]));
      }
      return Promise.resolve(sampleOf(medianOf(bundled) - medianOf(bare), null));
    },
  },
];

function timeOf(args: readonly string[]): number {
  const begun = performance.now();
  const done = spawnSync(process.execPath, [...args], { stdio: "ignore" });
  if (done.status !== 0) throw new Error(`node ${args.join(" ")}: exit ${String(done.status)}`);
  return performance.now() - begun;
}

function medianOf(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}
