import { globSync } from "node:fs";
import process from "node:process";
import { TEST_GROUPS } from "./test-groups.ts";
import { printOut, printRun, runTestFiles, straySkips } from "./test-run.ts";

// node tools/run-tests.ts [--suites|--interop|--long] [PATTERN...]

const { CI } = process.env;
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
  const strays = CI === "true" ? straySkips(run, group.allowedSkips) : [];
  for (const stray of strays) printOut(`SKIPPED WITHOUT LEAVE ${stray}\n`);
  process.exitCode = Math.max(printRun(run, printOut), strays.length > 0 ? 1 : 0);
}
