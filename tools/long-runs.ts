import { execFileSync } from "node:child_process";
import type { TestRun } from "./test-run.ts";

/** Where the last run of each long test stands. */
export const LONG_RUNS_PAGE = "bench/long-runs.md";

const HEAD = `# Long runs

Written by \`npm run test:long -- --record [FILE...]\`; never by hand. The last run of each test that takes minutes: a row is replaced when its test runs again.

| test | result | took | says | commit | date |
|---|---|---|---|---|---|
`;

/** What a run was of. */
export interface RunSetting {
  /** Abbreviated commit, with `+` when the tree had changes. */
  readonly commit: string;
  /** `2026-11-22`. */
  readonly date: string;
}

/** The page with the rows of this run; rows of other tests stay as they are. */
export function recordLongRuns(page: string, run: TestRun, setting: RunSetting): string {
  const rows = new Map<string, string>();
  for (const line of page.split("\n")) {
    const [, test = ""] = /^\| ((?:[^|\\]|\\.)*?) \|/.exec(line) ?? [];
    if (test !== "" && test !== "test" && !test.startsWith("-")) rows.set(test, line);
  }
  for (const { file, names, outcome, durationMs = 0 } of run.results) {
    // The number of inputs is in the name, and a smaller run is no replacement.
    const test = `${file}: ${names.join(" > ")}`.replaceAll("|", "\\|");
    const says = run.notes.filter((note) => note.file === file).map(({ text }) => text);
    const cells = [
      test,
      outcome,
      `${Math.round(durationMs / 1000)} s`,
      says.join("; ").replaceAll("|", "\\|"),
      setting.commit,
      setting.date,
    ];
    rows.set(test, `| ${cells.join(" | ")} |`);
  }
  const sorted = [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${HEAD}${sorted.map(([, row]) => row).join("\n")}\n`;
}

/** Of what a run is that begins now. */
export function runSetting(now: Date): RunSetting {
  const changed = git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+";
  return {
    commit: git("rev-parse", "--short", "HEAD") + changed,
    date: now.toISOString().slice(0, 10),
  };
}

function git(...args: string[]): string {
  return execFileSync("git", args, { encoding: "utf8" }).trim();
}
