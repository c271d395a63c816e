import { Writable } from "node:stream";
import { systemClock } from "@bonafide/lifetime";
import { COMMANDS } from "../commands/index.ts";
import { runProgram } from "../program.ts";

/** What a command wrote, and how it ended. */
export interface Told {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command line within this process, for tests that need no process of their own. */
export interface TestCommands {
  run(...words: readonly string[]): Promise<Told>;
  /** Runs a command that must succeed, as a machine would. @returns its JSON */
  json(...words: readonly string[]): Promise<Readonly<Record<string, unknown>>>;
}

/** Commands with the given environment, such as a server's socket. */
export function testCommands(
  env: Readonly<Record<string, string>>,
  signal: AbortSignal = new AbortController().signal,
): TestCommands {
  const run = async (...words: readonly string[]): Promise<Told> => {
    const [out, err] = [new Sink(), new Sink()];
    const code = await runProgram({
      commands: COMMANDS,
      version: "0",
      program: "bonafide",
      words,
      env,
      stdout: out,
      stderr: err,
      signal,
      machine: { clock: systemClock, cli: ["none"], greeter: "none", visitor: "none" },
    });
    return { code, out: out.text, err: err.text };
  };
  return {
    run,
    json: async (...words) => {
      const { code, out, err } = await run(...words, "--json");
      if (code !== 0) throw new Error(`${words.join(" ")}: ${code}\n${err}`);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every command prints an object
      return JSON.parse(out) as Readonly<Record<string, unknown>>;
    },
  };
}

class Sink extends Writable {
  text = "";

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}
