import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import process from "node:process";

// Runs every check, two at a time, prints the output of those that fail, and a line for each.

const CHECKS = [
  "types",
  "lint",
  "knip",
  "api:check",
  "gen:check",
  "proto:check",
  "layers",
  "docs:check",
  "lock:check",
  "shell:check",
  "format:check",
];
const AT_ONCE = 2;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own manifest
const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
  scripts: Readonly<Record<string, string>>;
};
const queue = [...CHECKS];
const failed: string[] = [];
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const begun = performance.now();
      const { code, text } = await runCheck(name);
      const took = `${((performance.now() - begun) / 1000).toFixed(1)} s`;
      if (code !== 0) {
        failed.push(name);
        process.stdout.write(`\n${text}\n`);
      }
      const last = text.trimEnd().split("\n").at(-1)?.trim() ?? "";
      process.stdout.write(
        `${code === 0 ? "ok  " : "FAIL"} ${name.padEnd(13)} ${took.padStart(6)}  ${code === 0 ? last : ""}\n`,
      );
    }
  }),
);
process.stdout.write(
  failed.length === 0
    ? `check: ${CHECKS.length} checks passed\n`
    : `check: ${failed.length} of ${CHECKS.length} failed: ${failed.join(", ")}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Runs one script of package.json; a missing one fails. */
function runCheck(name: string): Promise<{ readonly code: number; readonly text: string }> {
  if (scripts[name] === undefined) return Promise.resolve({ code: 1, text: `no script ${name}` });
  return new Promise((resolve) => {
    const child = spawn("npm", ["run", "--silent", name], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    }
    child.on("error", (error) => resolve({ code: 1, text: error.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, text }));
  });
}
