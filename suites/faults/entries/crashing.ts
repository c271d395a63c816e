import { writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ATTESTATION_STEPS, LauncherSlots } from "@bonafide/agent/testing";
import { runMain } from "@bonafide/cli/run-main";
import { systemClock } from "@bonafide/lifetime";

// The command line as published, but the agent dies when it comes to the point CRASH_AT, and says so in CRASH_NOTE first.
// Nothing of this is in the published program: the points are wrapped from outside.

const { CRASH_AT, CRASH_NOTE } = process.env;

function at(point: string): void {
  if (point !== CRASH_AT || CRASH_NOTE === undefined) return;
  writeFileSync(CRASH_NOTE, point);
  process.kill(process.pid, "SIGKILL");
  // The signal is there before the next instruction of ours; this is for readers and for the compiler.
  throw new Error("unreachable");
}

for (const step of ATTESTATION_STEPS) {
  const run = step.run.bind(step);
  step.run = (attempt) => {
    at(step.name);
    return run(attempt);
  };
}
const open = LauncherSlots.open.bind(LauncherSlots);
LauncherSlots.open = (deps, options) => open(deps, { ...options, at });

const self = fileURLToPath(import.meta.url);
await runMain({
  clock: systemClock,
  cli: [...process.execArgv, self],
  greeter: self,
  visitor: self,
});
