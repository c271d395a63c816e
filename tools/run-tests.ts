import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import process from "node:process";
import { printOut, printRun, runTestFiles } from "./test-run.ts";

interface Group {
  readonly patterns: readonly string[];
  readonly concurrency: number;
  readonly fileTimeoutMs: number;
}

const SPECIAL = ["suite", "interop", "long", "properties"].map((kind) => `**/*.${kind}.test.ts`);
const EVERYWHERE = ["{packages,apps,plugins}/*/src", "{conformance,suites,examples,bench,tools}"];

const GROUPS: Readonly<Record<string, Group>> = {
  unit: {
    patterns: [
      "{packages,apps,plugins}/*/src/**/*.test.ts",
      "{conformance,examples,bench,tools}/**/*.test.ts",
    ],
    concurrency: availableParallelism(),
    fileTimeoutMs: 120_000,
  },
  suites: {
    patterns: EVERYWHERE.map((folder) => `${folder}/**/*.suite.test.ts`),
    concurrency: 1,
    fileTimeoutMs: 600_000,
  },
  interop: {
    patterns: EVERYWHERE.map((folder) => `${folder}/**/*.interop.test.ts`),
    concurrency: 1,
    fileTimeoutMs: 300_000,
  },
  long: {
    patterns: EVERYWHERE.map((folder) => `${folder}/**/*.long.test.ts`),
    concurrency: 1,
    fileTimeoutMs: 900_000,
  },
};

const given = process.argv.slice(2);
const named = given[0]?.startsWith("--") === true ? given[0].slice(2) : undefined;
const patterns = named === undefined ? given : given.slice(1);
const group = GROUPS[named ?? "unit"];
if (group === undefined) {
  process.stderr.write(`no group ${String(named)}; one of ${Object.keys(GROUPS).join(", ")}\n`);
  process.exitCode = 2;
} else {
  const { concurrency, fileTimeoutMs } = group;
  const files =
    patterns.length > 0
      ? globSync(patterns)
      : globSync([...group.patterns], { exclude: named === undefined ? SPECIAL : [] });
  const options = { concurrency, fileTimeoutMs, print: printOut };
  process.exitCode = printRun(await runTestFiles(files.toSorted(), options), printOut);
}
