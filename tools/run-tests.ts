import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { matchesGlob } from "node:path";
import process from "node:process";
import { clientVerdicts } from "./client-verdicts.ts";
import { LONG_RUNS_PAGE, recordLongRuns, runSetting } from "./long-runs.ts";
import { TEST_GROUPS } from "./test-groups.ts";
import { merged, printOut, printRun, runTestFiles, straySkips } from "./test-run.ts";

// node tools/run-tests.ts [--suites|--interop|--long [--record]] [PATTERN...]

const { CI } = process.env;
const words = process.argv.slice(2);
const isRecorded = words.includes("--record");
const given = words.filter((word) => word !== "--record");
const named = given[0]?.startsWith("--") === true ? given[0].slice(2) : undefined;
const patterns = named === undefined ? given : given.slice(1);
const group = TEST_GROUPS[named ?? "unit"];
if (group === undefined) {
  process.stderr.write(`no group ${String(named)}: ${Object.keys(TEST_GROUPS).join(", ")}\n`);
  process.exitCode = 2;
} else {
  const { concurrency, excludes, fileTimeoutMs } = group;
  const isAlone = (file: string): boolean => group.alone.some((glob) => matchesGlob(file, glob));
  const files =
    patterns.length > 0
      ? globSync(patterns)
      : globSync([...group.patterns], { exclude: [...excludes] });
  const options = { concurrency, fileTimeoutMs, print: printOut };
  const sorted = files.toSorted();
  const setting = isRecorded ? runSetting(new Date()) : undefined;
  const together = await runTestFiles(
    sorted.filter((file) => !isAlone(file)),
    options,
  );
  const run = merged(
    together,
    await runTestFiles(sorted.filter(isAlone), { ...options, concurrency: 1 }),
  );
  if (setting !== undefined) {
    const page = existsSync(LONG_RUNS_PAGE) ? readFileSync(LONG_RUNS_PAGE, "utf8") : "";
    writeFileSync(LONG_RUNS_PAGE, recordLongRuns(page, run, setting));
  }
  const strays = CI === "true" ? straySkips(run, group.allowedSkips) : [];
  for (const stray of strays) printOut(`SKIPPED WITHOUT LEAVE ${stray}\n`);
  process.exitCode = Math.max(printRun(run, printOut), strays.length > 0 ? 1 : 0);
  const verdicts = clientVerdicts(sorted, run);
  if (verdicts !== undefined) printOut(`${verdicts}\n`);
}
