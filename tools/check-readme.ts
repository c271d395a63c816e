import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import process from "node:process";
import { matchOutput, readExamples } from "./readme-examples.ts";
import { reportCheck } from "./report.ts";

// Runs every command of the README's `console` blocks and compares the shape of what they print.

const TIMEOUT_MS = 600_000;
const DATA = ".bonafide";
/** What the launcher says only where nothing is installed yet. */
const INSTALLING = "bonafide: installing the pinned dependencies (once)";
const examples = readExamples(readFileSync("README.md", "utf8"));
const problems: string[] = [];
const hasData = existsSync(DATA);
// The README shows a first run, which is another where there was one before.
if (hasData) problems.push(`${DATA} exists: move it away`);
for (const { command, expected } of hasData ? [] : examples) {
  process.stdout.write(`$ ${command}\n`);
  const done = spawnSync("sh", ["-c", `${command} 2>&1`], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    timeout: TIMEOUT_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
  if (done.status !== 0) {
    problems.push(`${command}: exit ${String(done.status ?? done.signal)}\n${done.stdout}`);
    continue;
  }
  const missing = matchOutput(
    expected.filter((line) => line !== INSTALLING),
    done.stdout,
  );
  if (missing !== undefined) {
    problems.push(`${command}: printed no line like\n  ${missing}\nbut\n${done.stdout}`);
  }
}
if (!hasData) rmSync(DATA, { recursive: true, force: true });
reportCheck("readme", { commands: examples.length }, problems);
