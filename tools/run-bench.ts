import { execFileSync } from "node:child_process";
import { globSync, writeFileSync } from "node:fs";
import { arch, cpus, release, totalmem, type } from "node:os";
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Bench } from "../bench/harness/bench.ts";
import { BRIEF, declarationProblems, FULL, measure, reaches } from "../bench/harness/measure.ts";
import { describeTarget, renderResults } from "../bench/harness/results.ts";

// npm run bench -- [NAME...] [--json] [--check] [--brief] [--write]
// NAME picks a bench, or all metrics `NAME/...` of it.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean" },
    check: { type: "boolean" },
    brief: { type: "boolean" },
    write: { type: "boolean" },
  },
});
const problems: string[] = [];
const all: Bench[] = [];
const files = globSync("bench/*.ts", { exclude: ["**/*.test.ts"] }).toSorted();
for (const file of files) {
  const module: unknown = await import(pathToFileURL(resolve(file)).href);
  if (isBenchModule(module)) all.push(...module.benches);
  else problems.push(`${file}: exports no benches`);
}
problems.push(...declarationProblems(all));
const unknown = positionals.filter((name) => !all.some((bench) => isNamed(bench, name)));
problems.push(...unknown.map((name) => `no bench ${name}; there is ${namesOf(all)}`));
const chosen = all.filter(
  (bench) => positionals.length === 0 || positionals.some((name) => isNamed(bench, name)),
);
const measured = [];
for (const bench of chosen) {
  try {
    const line = await measure(bench, values.brief === true ? BRIEF : FULL);
    measured.push({ bench, line });
    const reached = reaches(bench, line);
    const { value, unit, ratio } = line;
    const text = `${bench.name.padEnd(28)} ${value.toFixed(2).padStart(12)} ${unit.padEnd(5)}`;
    const judged =
      bench.target === null ? "" : `${describeTarget(bench)}: ${reached ? "reached" : "MISSED"}`;
    process.stdout.write(
      values.json === true
        ? `${JSON.stringify(line)}\n`
        : `${text} ratio ${ratio === null ? "   -" : ratio.toFixed(2)}  ${judged}\n`,
    );
    if (values.check === true && !reached) problems.push(`${bench.name}: misses its target`);
  } catch (error) {
    problems.push(`${bench.name}: ${error instanceof Error ? String(error.stack) : String(error)}`);
  }
}
if (values.write === true) {
  if (values.brief === true || positionals.length > 0) problems.push("--write wants a whole run");
  else writeFileSync("bench/results.md", renderResults(describeSetting(), measured));
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 || measured.length === 0 ? 1 : 0;

function isBenchModule(module: unknown): module is { benches: readonly Bench[] } {
  return (
    typeof module === "object" &&
    module !== null &&
    "benches" in module &&
    Array.isArray(module.benches)
  );
}

function isNamed(bench: Bench, name: string): boolean {
  return bench.name === name || bench.name.startsWith(`${name}/`);
}

function namesOf(benches: readonly Bench[]): string {
  return benches.map((bench) => bench.name).join(", ");
}

function describeSetting(): Parameters<typeof renderResults>[0] {
  const changed = git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+";
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  const machine = `${type()} ${release()} ${arch()}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}`;
  return {
    machine: `${machine}, ${memory}`,
    node: process.versions.node,
    commit: git("rev-parse", "--short", "HEAD") + changed,
    date: new Date().toISOString().slice(0, 10),
  };
}

function git(...args: string[]): string {
  return execFileSync("git", args, { encoding: "utf8" }).trim();
}
