import process from "node:process";
import { fileURLToPath } from "node:url";
import { runMain } from "@bonafide/cli/run-main";
import { systemClock } from "@bonafide/lifetime";
import { shiftedClock } from "@bonafide/lifetime/testing";

// The command line as published, on a node whose wall clock is SHIFT_MS off.

const self = fileURLToPath(import.meta.url);
await runMain({
  clock: shiftedClock(systemClock, Number(process.env["SHIFT_MS"] ?? 0)),
  cli: [...process.execArgv, self],
  greeter: self,
  visitor: self,
});
