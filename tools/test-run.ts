import { resolve } from "node:path";
import process from "node:process";
import { run as runFiles } from "node:test";
import { inspect } from "node:util";

/** How one test ended. */
export type Outcome = "passed" | "failed" | "skipped" | "todo";

/** One test that ran, or was skipped. */
export interface TestResult {
  /** File it stands in, as it was given to {@link runTestFiles}. */
  readonly file: string;
  /** Names from the outermost suite to the test itself. */
  readonly names: readonly string[];
  readonly outcome: Outcome;
  /** Why it failed, for people; or why it was skipped. */
  readonly reason?: string;
  readonly durationMs?: number;
}

/** What became of a list of test files. */
export interface TestRun {
  readonly results: readonly TestResult[];
  /** What tests said of their own run: their seed, what they measured. */
  readonly notes: readonly { readonly file: string; readonly text: string }[];
  /** Files in which no test was registered: each is a failure of the run. */
  readonly empty: readonly string[];
}

/** Options of {@link runTestFiles}. */
export interface TestRunOptions {
  /** Files at a time. */
  readonly concurrency: number;
  /** A file that takes longer is killed and fails, in ms. */
  readonly fileTimeoutMs: number;
  /** Gets what the tests print, and a line per failure as it happens. */
  readonly print: (text: string) => void;
}

/** What a test says of itself so that its run can be repeated, or was measured; other diagnostics are for its reader. */
const REPEATABLE = /^(seed \d+|kept: )/;

const GUARD = new URL("leak-guard.ts", import.meta.url).href;

/**
 * Runs test files, a process each, and collects every result.
 *
 * A file whose process stays alive after its last test fails: it leaked a socket, a timer or a child.
 */
export async function runTestFiles(
  files: readonly string[],
  options: TestRunOptions,
): Promise<TestRun> {
  const given = new Map(files.map((file) => [resolve(file), file]));
  const results: TestResult[] = [];
  const notes: { file: string; text: string }[] = [];
  const stacks = new Map<string, string[]>();
  const seen = new Set<string>();
  if (files.length === 0) return { results, notes, empty: [] };
  const events = runFiles({
    files: [...given.keys()],
    concurrency: options.concurrency,
    timeout: options.fileTimeoutMs,
    execArgv: ["--import", GUARD],
  });
  for await (const event of events) {
    if (event.type === "test:start") {
      const { file = "", name, nesting } = event.data;
      stacks.set(file, [...(stacks.get(file) ?? []).slice(0, nesting), name]);
    } else if (event.type === "test:pass" || event.type === "test:fail") {
      const { file = "", name, nesting, skip, todo, details } = event.data;
      if (details.type === "suite" && event.type === "test:pass") continue;
      const isFile = given.has(resolve(name));
      const path = isFile ? name : file;
      const shown = given.get(resolve(path)) ?? path;
      if (!isFile) seen.add(shown);
      const outer = isFile ? [] : (stacks.get(file) ?? []).slice(0, nesting);
      const base = {
        file: shown,
        names: isFile ? ["the file itself"] : [...outer, name],
        durationMs: details.duration_ms,
      };
      if (event.type === "test:pass" && isFile) continue;
      if (todo !== undefined && todo !== false) results.push({ ...base, outcome: "todo" });
      else if (skip !== undefined && skip !== false) {
        results.push({ ...base, outcome: "skipped", ...(skip === true ? {} : { reason: skip }) });
      } else if (event.type === "test:pass") results.push({ ...base, outcome: "passed" });
      else {
        const { error } = event.data.details;
        if (error.failureType === "subtestsFailed") continue;
        const reason = describe(error.cause ?? error);
        results.push({ ...base, outcome: "failed", reason });
        options.print(`FAIL ${shown}: ${base.names.join(" > ")}\n`);
      }
    } else if (event.type === "test:summary") {
      // Tests of a contract suite name the file that defines them; only the summary names the file that ran.
      const { file, counts } = event.data;
      const shown = file === undefined ? undefined : given.get(resolve(file));
      if (shown !== undefined && counts.tests > 0) seen.add(shown);
    } else if (event.type === "test:diagnostic" && REPEATABLE.test(event.data.message)) {
      const { file = "", message } = event.data;
      const shown = given.get(resolve(file)) ?? file;
      notes.push({ file: shown, text: message });
      options.print(`${shown}: ${message}\n`);
    } else if (event.type === "test:stderr" || event.type === "test:stdout") {
      options.print(event.data.message);
    }
  }
  return { results, notes, empty: files.filter((file) => !seen.has(file)) };
}

/** Two runs as one. */
export function merged(a: TestRun, b: TestRun): TestRun {
  return {
    results: [...a.results, ...b.results],
    notes: [...a.notes, ...b.notes],
    empty: [...a.empty, ...b.empty],
  };
}

/** Counts results; a todo counts as skipped, an empty file as failed. */
export function countResults(run: TestRun): { passed: number; failed: number; skipped: number } {
  const count = (outcome: Outcome): number =>
    run.results.filter((result) => result.outcome === outcome).length;
  return {
    passed: count("passed"),
    failed: count("failed") + run.empty.length,
    skipped: count("skipped") + count("todo"),
  };
}

/**
 * Skips whose reason does not begin as an allowed one. Where nobody looks at skips, a missing toolchain must not look
 * like a success.
 */
export function straySkips(run: TestRun, allowed: readonly string[]): readonly string[] {
  return run.results
    .filter(({ outcome, reason = "" }) => {
      const isSkip = outcome === "skipped" || outcome === "todo";
      return isSkip && !allowed.some((beginning) => reason.startsWith(beginning));
    })
    .map(({ file, names, reason }) => `${file}: ${names.join(" > ")} (${reason ?? "no reason"})`);
}

/**
 * Writes failures whole, then skips, then `N passed, N failed, N skipped` as the last line.
 *
 * @returns The exit code: 1 for a failure, and for a run in which nothing passed.
 */
export function printRun(run: TestRun, print: (text: string) => void): 0 | 1 {
  for (const { file, names, outcome, reason } of run.results) {
    const title = `${file}: ${names.join(" > ")}`;
    if (outcome === "failed") print(`\nFAILED ${title}\n${reason ?? ""}\n`);
    if (outcome === "skipped")
      print(`SKIPPED ${title}${reason === undefined ? "" : ` (${reason})`}\n`);
    if (outcome === "todo") print(`TODO ${title}\n`);
  }
  for (const file of run.empty) print(`NO TESTS in ${file}\n`);
  const { passed, failed, skipped } = countResults(run);
  if (passed + failed + skipped === 0) print("NO TESTS at all\n");
  print(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  return passed === 0 || failed > 0 ? 1 : 0;
}

/** Writes to the standard output of this process. */
export function printOut(text: string): void {
  process.stdout.write(text);
}

function describe(error: unknown): string {
  if (typeof error === "string") return error;
  return inspect(error, { depth: 6, maxStringLength: 4000, breakLength: 100 });
}
