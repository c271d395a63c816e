import process from "node:process";
import type { Machine } from "./arguments/command.ts";
import { COMMANDS } from "./commands/index.ts";
import { CALLED_AS, programName } from "./program-name.ts";
import { runProgram } from "./program.ts";
import { VERSION } from "./version.ts";

/** Runs the program on this process's arguments, environment and signals, and sets its exit code. */
export async function runMain(machine: Machine): Promise<void> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    // Twice means "now": the second signal finds no handler of ours.
    process.once(name, () => {
      stop.abort();
    });
  }
  // Whoever read our output has gone (`| head`): nothing more to tell, so stop as if asked to.
  process.stdout.on("error", () => {
    stop.abort();
  });
  // For us alone: what we start was not called by this name.
  const program = programName(process.env);
  delete process.env[CALLED_AS];
  process.exitCode = await runProgram({
    commands: COMMANDS,
    version: VERSION,
    words: process.argv.slice(2),
    program,
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: stop.signal,
    machine,
  });
}
