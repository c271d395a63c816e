import { availableParallelism } from "node:os";

/** A set of test files that one command runs. */
export interface TestGroup {
  readonly patterns: readonly string[];
  readonly excludes: readonly string[];
  /** Files at a time. */
  readonly concurrency: number;
  /** Globs of files that measure time or take every processor: they run after the others, one by one. */
  readonly alone: readonly string[];
  readonly fileTimeoutMs: number;
  /** How the reason of a skip must begin; any other skip fails the run where `CI` is set. */
  readonly allowedSkips: readonly string[];
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

/** What a machine may lack: being root, or not being root, and a folder that others can read. */
const USERS = [
  "needs root, ",
  "needs a user who is not root",
  "needs a checkout that other users can read",
];
/** Programs that other people's files are tried with: shells for completion, systemd for its units. */
const SHELLS = ["needs zsh", "needs fish", "needs systemd-analyze"];
/** What a kernel or a container may lack. */
const KERNEL = [
  "needs a cgroup v2 tree",
  "needs namespaces",
  "unprivileged user namespaces are off",
];

/** The groups that `tools/run-tests.ts` knows. */
export const TEST_GROUPS: Readonly<Record<string, TestGroup>> = {
  unit: {
    patterns: UNIT_PATTERNS,
    excludes: UNIT_EXCLUDES,
    concurrency: availableParallelism(),
    alone: [],
    fileTimeoutMs: 300_000,
    allowedSkips: [...USERS, ...SHELLS],
  },
  suites: {
    ...special("suite", 1_800_000, [...USERS, ...KERNEL]),
    // Most of their time they wait for rotations and polls of real processes.
    concurrency: 3,
    alone: ["suites/{attacks,faults,ledger,up}/**", "conformance/upgrade/**"],
  },
  interop: special("interop", 900_000, []),
  long: special("long", 3_600_000, []),
};

function special(kind: string, fileTimeoutMs: number, allowedSkips: readonly string[]): TestGroup {
  const patterns = EVERYWHERE.map((folder) => `${folder}/**/*.${kind}.test.ts`);
  return { patterns, excludes: [], concurrency: 1, alone: [], fileTimeoutMs, allowedSkips };
}
