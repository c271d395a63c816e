import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Workload processes that end with this object. */
export class Workloads implements AsyncDisposable {
  readonly #node: string;
  readonly #program: string;
  readonly #children: ChildProcess[] = [];

  private constructor(dir: string) {
    this.#node = join(dir, "node");
    this.#program = join(dir, "workload.mjs");
  }

  /**
   * Puts the program, as one file, and the runtime where every user can read them, wherever this checkout lies.
   *
   * @param dir  A folder that everybody may walk into.
   */
  static async prepare(dir: string): Promise<Workloads> {
    const workloads = new Workloads(dir);
    await build({
      entryPoints: [fileURLToPath(new URL("workload.ts", import.meta.url))],
      outfile: workloads.#program,
      bundle: true,
      platform: "node",
      target: "node26",
      format: "esm",
      banner: {
        js: "import{createRequire as suiteRequire}from'node:module';const require=suiteRequire(import.meta.url);",
      },
    });
    chmodSync(workloads.#program, 0o644);
    copyFileSync(process.execPath, workloads.#node);
    chmodSync(workloads.#node, 0o755);
    return workloads;
  }

  /** Starts one. */
  start(options: {
    readonly uid: number;
    readonly socket: string;
    readonly words: readonly string[];
  }): void {
    const { uid, socket, words } = options;
    // Small heaps and no helper threads: there are a hundred of them.
    const flags = ["--max-old-space-size=48", "--max-semi-space-size=1", "--v8-pool-size=0"];
    const child = spawn(this.#node, [...flags, this.#program, ...words], {
      uid,
      gid: uid,
      cwd: "/",
      stdio: ["pipe", "ignore", "inherit"],
      env: { SPIFFE_ENDPOINT_SOCKET: `unix://${socket}`, UV_THREADPOOL_SIZE: "1" },
    });
    child.stdin?.on("error", () => undefined);
    this.#children.push(child);
  }

  /** How many have not ended. */
  get running(): number {
    return this.#children.filter((child) => isRunning(child)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children
        .filter((child) => isRunning(child))
        .map((child) => {
          const exit = once(child, "exit");
          child.kill("SIGKILL");
          return exit;
        }),
    );
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
