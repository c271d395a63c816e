import { basename, dirname } from "node:path";
import type { TestRun } from "./test-run.ts";

/** Where the programs in other languages stand, a folder each. */
const CLIENTS = "conformance/interop";

/**
 * What became of each language that has a program: `clients: go passed, java failed, rust skipped`.
 *
 * @param files The test files of the run.
 * @returns Undefined where none of them is a language's.
 */
export function clientVerdicts(files: readonly string[], run: TestRun): string | undefined {
  const verdicts = files
    .filter((file) => dirname(dirname(file)).endsWith(CLIENTS))
    .map((file) => `${basename(dirname(file))} ${verdictOf(file, run)}`);
  return verdicts.length === 0 ? undefined : `clients: ${verdicts.join(", ")}`;
}

function verdictOf(file: string, run: TestRun): "passed" | "failed" | "skipped" {
  const outcomes = run.results.filter((result) => result.file === file).map((r) => r.outcome);
  if (outcomes.length === 0 || outcomes.includes("failed")) return "failed";
  return outcomes.every((outcome) => outcome === "passed") ? "passed" : "skipped";
}
