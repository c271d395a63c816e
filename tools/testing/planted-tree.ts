import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A folder of planted files, in which a tool of this repository can be run. */
export interface PlantedTree extends Disposable {
  readonly path: string;
  /** Runs `tools/<script>` with the tree as its working folder; both outputs are in `text`. */
  run(
    script: string,
    args?: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): { readonly code: number; readonly text: string };
  /** Adds or replaces files. */
  write(files: Readonly<Record<string, string>>): void;
}

/** Makes a {@link PlantedTree} of the given files (path to content); disposing removes it. */
export function plantTree(files: Readonly<Record<string, string>>): PlantedTree {
  const path = mkdtempSync(join(tmpdir(), "bonafide-planted-"));
  const write = (more: Readonly<Record<string, string>>): void => {
    for (const [name, content] of Object.entries(more)) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), content);
    }
  };
  write(files);
  return {
    path,
    write,
    run(script, args = [], more = {}) {
      const tool = fileURLToPath(new URL(`../${script}`, import.meta.url));
      // The test runner refuses to run inside itself, which its environment variable would say.
      const env = { ...process.env, NODE_TEST_CONTEXT: undefined, CI: undefined, ...more };
      const done = spawnSync(process.execPath, [tool, ...args], {
        cwd: path,
        encoding: "utf8",
        env,
      });
      return { code: done.status ?? -1, text: done.stdout + done.stderr };
    },
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
