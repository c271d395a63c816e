import { spawn } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import type { Check } from "./find-checks.ts";

const HOOK = new URL("mutate-hook.ts", import.meta.url).href;
/** A mutant of which nothing is heard any more hangs its tests, and is noticed. */
const SILENT_MS = 60_000;

/** Which tests are tried. */
export interface Reach {
  /** Test files to begin with. */
  readonly first: readonly string[];
  /** Only tests that stand beside the file or are named like it. */
  readonly isNear?: boolean | undefined;
}

/** Test files of one package, those nearest to a file first, in groups that run in one process each. */
export function testGroups(
  file: string,
  { first, isNear = false }: Reach,
): readonly (readonly string[])[] {
  const own = file.replace(/\.ts$/, ".test.ts");
  const folder = dirname(file);
  const [, packageRoot = folder] = /^(packages\/[^/]+)\//.exec(file) ?? [];
  const all = globSync([`${packageRoot}/src/**/*.test.ts`, "conformance/*.test.ts"]).filter(
    (name) => !/\.(long|suite|interop|properties)\.test\.ts$/.test(name),
  );
  const word = basename(file, ".ts");
  const near = all.filter((name) => dirname(name).startsWith(folder) || name.includes(word));
  const groups = [first, [own], near, ...(isNear ? [] : [all])];
  const taken = new Set<string>();
  return groups.map((names) =>
    names.filter((name) => {
      if (taken.has(name) || !existsSync(name)) return false;
      taken.add(name);
      return true;
    }),
  );
}

/** Runs test files in one process, with a check taken out. @returns The first test that failed; undefined: none did. */
export async function firstFailure(
  files: readonly string[],
  check: Check | undefined,
): Promise<string | undefined> {
  const imports = files.map((file) => `await import(${JSON.stringify(urlOf(file))});`).join("");
  const words = ["--import", HOOK, "--test-reporter=tap", "--input-type=module", "-e", imports];
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const child = spawn(process.execPath, words, {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true, // a group of its own, so that what its tests started ends with it
    env: {
      ...env,
      MUTANT: check === undefined ? "" : [urlOf(check.file), check.start, check.end].join(" "),
      NODE_COMPILE_CACHE: resolve("node_modules/.cache/mutants"),
    },
  });
  const endGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Nobody is left.
    }
  };
  let failed: string | undefined;
  const timer = setTimeout(() => {
    failed ??= "it hangs";
    endGroup();
  }, SILENT_MS);
  createInterface({ input: child.stdout }).on("line", (line) => {
    timer.refresh();
    const [, name] = /^\s*not ok \d+ - (.*?)(?: # (?:SKIP|TODO).*)?$/.exec(line) ?? [];
    if (name === undefined || failed !== undefined || / # (SKIP|TODO)/.test(line)) return;
    failed = name;
    endGroup();
  });
  const code = await new Promise<number | null>((done) => {
    child.once("close", done);
  });
  clearTimeout(timer);
  endGroup();
  return failed ?? (code === 0 ? undefined : "it ends at once");
}

function urlOf(file: string): string {
  return pathToFileURL(resolve(file)).href;
}
