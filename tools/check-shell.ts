import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import process from "node:process";
import { reportCheck } from "./report.ts";

// Shell scripts parse, and shellcheck has nothing to say where it is installed.

const candidates = [
  ...globSync(["bonafide", ".ci/*", "{tools,suites,conformance,examples}/**/*.sh"]),
];
const problems: string[] = [];
let scripts = 0;
const linter = spawnSync("shellcheck", ["--version"]).error === undefined;
for (const path of candidates) {
  const shell = /^#!(?:\/usr\/bin\/env |\/bin\/)(sh|bash)\b/.exec(readFileSync(path, "utf8"))?.[1];
  if (shell === undefined) {
    if (path.endsWith(".sh")) problems.push(`${path}: no sh or bash in its first line`);
    continue;
  }
  scripts++;
  const parsed = spawnSync(shell, ["-n", path], { encoding: "utf8" });
  if (parsed.status !== 0) problems.push(`${path}: ${parsed.stderr}`);
  if (!linter) continue;
  const linted = spawnSync("shellcheck", [path], { encoding: "utf8" });
  if (linted.status !== 0) problems.push(linted.stdout);
}
if (!linter) process.stdout.write("shell: shellcheck is not installed, syntax only\n");
reportCheck("shell", { scripts }, problems);
