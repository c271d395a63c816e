import { globSync } from "node:fs";
import process from "node:process";
import { TEST_GROUPS } from "./test-groups.ts";
import { countResults, printOut, printRun, runTestFiles } from "./test-run.ts";

// node tools/run-tests.ts [--suites|--interop|--long] [PATTERN...]

const given = process.argv.slice(2);
const named = given[0]?.startsWith("--") === true ? given[0].slice(2) : undefined;
const patterns = named === undefined ? given : given.slice(1);
const group = TEST_GROUPS[named ?? "unit"];
if (group === undefined) {
  process.stderr.write(`no group ${String(named)}: ${Object.keys(TEST_GROUPS).join(", ")}\n`);
  process.exitCode = 2;
} else {
  const { concurrency, excludes, fileTimeoutMs } = group;
  const files =
    patterns.length > 0
      ? globSync(patterns)
      : globSync([...group.patterns], { exclude: [...excludes] });
  const options = { concurrency, fileTimeoutMs, print: printOut };
  const run = await runTestFiles(files.toSorted(), options);
  process.exitCode = printRun(run, printOut);
  // Where nobody looks at skips, a missing toolchain must not look like a success.
  const { CI } = process.env;
  if (group.mustNotSkip && CI === "true" && countResults(run).skipped > 0) process.exitCode = 1;
}
