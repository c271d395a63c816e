import { globSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Item, judge, type NotHeld, renderReport } from "../conformance/harness/judge.ts";
import { UNIT_EXCLUDES, UNIT_PATTERNS } from "./test-groups.ts";
import { countResults, printOut, runTestFiles } from "./test-run.ts";

// Runs every unit, contract and conformance test file that names an item, and judges the items by the results.

const LIST = "conformance/not-held.json";
const { values } = parseArgs({
  options: { report: { type: "boolean" }, update: { type: "boolean" } },
});
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file, judged below
const items = JSON.parse(readFileSync("conformance/items.json", "utf8")) as Item[];
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file, judged below
const listed = JSON.parse(readFileSync(LIST, "utf8")) as NotHeld;
const families = [...new Set(items.map((item) => item.id.slice(0, item.id.indexOf("-"))))];
const named = new RegExp(`["'\`](?:${families.join("|")})-\\d{2}`);
const files = globSync([...UNIT_PATTERNS], { exclude: [...UNIT_EXCLUDES] })
  .filter((file) => !file.startsWith("conformance/harness/"))
  .filter((file) => named.test(readFileSync(file, "utf8")))
  .toSorted();
const run = await runTestFiles(files, {
  concurrency: availableParallelism(),
  fileTimeoutMs: 300_000,
  print: (text) => void process.stderr.write(text),
});
let judgement = judge(items, listed, run.results);
if (values.update === true) {
  const held = new Set(
    judgement.verdicts.filter(({ state }) => state === "held").map(({ item }) => item.id),
  );
  const notYet = Object.fromEntries(
    Object.entries(listed.notYet).filter(([key]) => !held.has(key)),
  );
  const shorter = { ...listed, notYet };
  writeFileSync(LIST, `${JSON.stringify(shorter, null, 2)}\n`);
  judgement = judge(items, shorter, run.results);
}
for (const problem of judgement.problems) process.stderr.write(`${problem}\n`);
const { passed, failed } = countResults(run);
process.stderr.write(
  `conformance: ${files.length} files, ${passed} tests passed, ${failed} failed\n`,
);
printOut(renderReport(judgement, { whole: values.report === true }));
process.exitCode = judgement.problems.length > 0 || failed > 0 || passed === 0 ? 1 : 0;
