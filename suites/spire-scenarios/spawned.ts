import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import process from "node:process";

/** A process of these suites, which prints into a file. */
export class Spawned {
  readonly #child: ChildProcess;
  readonly #log: string;

  constructor([file = "", ...words]: readonly string[], log: string) {
    const output = openSync(log, "a", 0o600);
    this.#child = spawn(file, words, {
      stdio: ["ignore", output, output],
      env: { PATH: process.env["PATH"] ?? "" },
    });
    this.#log = log;
    closeSync(output);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of what it printed, for people. */
  get told(): string {
    return readFileSync(this.#log, "utf8").split("\n").slice(-15).join("\n");
  }

  /** Waits until it ends by itself. */
  async ended(): Promise<void> {
    if (this.isRunning) await once(this.#child, "exit");
  }

  /** SIGTERM, and waits. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.ended();
  }
}

/**
 * Waits until something is there; the test's own time limit ends the wait.
 *
 * @param look  Gives undefined while it is not there; asked again after a moment.
 */
export async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
