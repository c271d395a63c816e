import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import process from "node:process";
import { run } from "node:test";

const patterns = process.argv.slice(2);
const files = globSync(
  patterns.length > 0
    ? patterns
    : [
        "{packages,apps,plugins}/*/src/**/*.test.ts",
        "{conformance,examples,bench,tools}/**/*.test.ts",
      ],
);
const seen = new Set<string>();
let passed = 0;
let failed = 0;
let skipped = 0;
if (files.length > 0) {
  for await (const event of run({ files, concurrency: availableParallelism() })) {
    if (event.type === "test:summary") {
      const { counts, file } = event.data;
      if (file === undefined) {
        ({ passed, skipped } = counts);
        failed = counts.tests - passed - skipped - counts.todo;
      } else if (counts.tests > 0) seen.add(file);
    } else if (
      event.type === "test:fail" &&
      event.data.details.type !== "suite" &&
      event.data.todo === undefined
    ) {
      const { file, name, details } = event.data;
      process.stdout.write(`FAIL ${file ?? ""}: ${name}\n${String(details.error.cause)}\n`);
    } else if (event.type === "test:stderr" || event.type === "test:stdout") {
      process.stdout.write(event.data.message);
    }
  }
}
const empty = files.filter((file) => !seen.has(resolve(file)));
for (const file of empty) process.stdout.write(`NO TESTS in ${file}\n`);
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = passed === 0 || failed > 0 || empty.length > 0 ? 1 : 0;
