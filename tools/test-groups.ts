import { availableParallelism } from "node:os";

/** A set of test files that one command runs. */
export interface TestGroup {
  readonly patterns: readonly string[];
  readonly excludes: readonly string[];
  readonly concurrency: number;
  readonly fileTimeoutMs: number;
  /** Whether a skipped test fails the run where `CI` is set. */
  readonly mustNotSkip: boolean;
}

const EVERYWHERE = ["{packages,apps,plugins}/*/src", "{conformance,suites,examples,bench,tools}"];

/** Where unit, contract and conformance tests stand. */
export const UNIT_PATTERNS: readonly string[] = [
  "{packages,apps,plugins}/*/src/**/*.test.ts",
  "{conformance,examples,bench,tools}/**/*.test.ts",
];

/** Test files that have a command of their own. */
export const UNIT_EXCLUDES: readonly string[] = ["suite", "interop", "long", "properties"].map(
  (kind) => `**/*.${kind}.test.ts`,
);

/** The groups that `tools/run-tests.ts` knows. */
export const TEST_GROUPS: Readonly<Record<string, TestGroup>> = {
  unit: {
    patterns: UNIT_PATTERNS,
    excludes: UNIT_EXCLUDES,
    concurrency: availableParallelism(),
    fileTimeoutMs: 300_000,
    mustNotSkip: false,
  },
  suites: special("suite", 900_000),
  interop: special("interop", 300_000),
  long: special("long", 3_600_000),
};

function special(kind: string, fileTimeoutMs: number): TestGroup {
  const patterns = EVERYWHERE.map((folder) => `${folder}/**/*.${kind}.test.ts`);
  const mustNotSkip = kind === "interop";
  return { patterns, excludes: [], concurrency: 1, fileTimeoutMs, mustNotSkip };
}
