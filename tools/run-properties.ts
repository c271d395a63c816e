import { globSync, readFileSync } from "node:fs";
import process from "node:process";
import { countResults, printOut, runTestFiles } from "./test-run.ts";

// Attacks each of the four properties in real processes; a listed attack that was not tried, or not refused, is red.

interface Property {
  readonly property: string;
  readonly attacks: Readonly<Record<string, string>>;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file
const listed = JSON.parse(readFileSync("suites/properties/attacks.json", "utf8")) as Readonly<
  Record<string, Property>
>;
const files = globSync("{packages/*/src,apps/*/src,suites,conformance}/**/*.properties.test.ts");
const run = await runTestFiles(files.toSorted(), {
  concurrency: 1,
  fileTimeoutMs: 600_000,
  print: (text) => void process.stderr.write(text),
});
const problems = run.empty.map((file) => `${file}: no tests`);
const tried = Map.groupBy(run.results, ({ names }) => /^P\d\.\d+/.exec(names.at(-1) ?? "")?.[0]);
const known = new Set(Object.values(listed).flatMap(({ attacks }) => Object.keys(attacks)));
for (const [id, tests] of tried) {
  for (const { file, names, outcome, reason } of tests) {
    const title = `${file}: ${names.join(" > ")}`;
    if (outcome === "failed") problems.push(`${title}\n${reason ?? ""}`);
    if (id !== undefined && !known.has(id)) problems.push(`${title}: ${id} is not listed`);
  }
}
const lines = Object.entries(listed).map(([number, { property, attacks }]) => {
  const ids = Object.keys(attacks);
  const ran = ids.filter((id) => tried.has(id));
  const refused = ran.filter((id) => tried.get(id)?.every(({ outcome }) => outcome === "passed"));
  for (const id of ids) {
    if (!tried.has(id)) problems.push(`${id} was not tried: ${attacks[id] ?? ""}`);
    else if (!refused.includes(id)) problems.push(`${id} was not refused: ${attacks[id] ?? ""}`);
  }
  return `property ${number}, ${property}: ${ran.length} of ${ids.length} attacks tried, ${refused.length} refused`;
});
for (const problem of problems) process.stderr.write(`${problem}\n`);
for (const line of lines) printOut(`${line}\n`);
const { passed, failed, skipped } = countResults(run);
printOut(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = problems.length > 0 || passed === 0 || lines.length === 0 ? 1 : 0;
