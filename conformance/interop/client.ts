import assert from "node:assert/strict";
import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** A program in another language that uses the Workload API through that language's own library. */
export interface ClientProgram {
  /** As it is named in the last line of `npm run test:interop`. */
  readonly language: string;
  /** Where `build.sh` stands. */
  readonly folder: string;
  /** A command that only succeeds where the language's tools are. */
  readonly toolchain: readonly [string, ...string[]];
  /** What runs the program, once built; the agent's socket is added as its last argument. */
  readonly command: readonly [string, ...string[]];
}

/** What a program is told to do: a line of JSON on its standard input. README.md describes each. */
export type Command =
  | { readonly do: "fetch" }
  | { readonly do: "watch"; readonly count: number }
  | { readonly do: "jwt"; readonly audience: string }
  | { readonly do: "judge"; readonly audience: string; readonly token: string }
  | { readonly do: "serve" }
  | { readonly do: "call"; readonly port: number; readonly id: string };

/** What it answers: a line of JSON on its standard output. */
export interface Answer {
  readonly event: "context" | "jwt" | "verdict" | "listening" | "answer" | "error";
  readonly ids?: readonly string[];
  /** Leaf certificates, DER in hex. */
  readonly leaves?: readonly string[];
  /** Absent where the library does not hand out hints. */
  readonly hints?: readonly string[];
  /** Number of X.509 authorities by trust domain. */
  readonly bundles?: Readonly<Record<string, number>>;
  readonly token?: string;
  readonly remote?: string;
  readonly local?: string;
  readonly port?: number;
  readonly code?: string;
  readonly text?: string;
}

/**
 * Builds a program into its `dist` folder, or finds it built.
 *
 * @returns False where the language's tools are not there.
 * @throws AssertionError with what the tools printed, where they fail.
 */
export async function build(program: ClientProgram): Promise<boolean> {
  const [tool, ...words] = program.toolchain;
  try {
    await run(tool, words);
  } catch {
    return false;
  }
  try {
    await run("bash", [join(program.folder, "build.sh")], { maxBuffer: OUTPUT_BYTES_MAX });
  } catch (error) {
    const told = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    assert.fail(`${program.language} does not build: ${told}`);
  }
  return true;
}

/** A program that runs, as a workload of the agent whose socket it was given. Closing it kills it. */
export class Client implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor({ folder, command: [file, ...words] }: ClientProgram, socket: string) {
    this.#child = spawn(file, [...words, socket], {
      cwd: folder,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Gives a command and waits for its first answer. */
  ask(command: Command): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    return this.next();
  }

  /** The next answer of a command that has several. */
  async next(): Promise<Answer> {
    const { value, done } = await this.#lines.next();
    assert.ok(done !== true, "the program ended");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the programs beside this
    return JSON.parse(value) as Answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill();
    await once(this.#child, "exit");
  }
}
