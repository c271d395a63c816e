import process from "node:process";
import { fileURLToPath } from "node:url";
import { runMain } from "@bonafide/cli/run-main";
import { later } from "./clock.ts";

// The command line as published, eight days later: the same composition on another clock.
await runMain({
  clock: later,
  cli: [...process.execArgv, fileURLToPath(import.meta.url)],
  greeter: fileURLToPath(new URL("greeter.ts", import.meta.url)),
  visitor: fileURLToPath(new URL("visitor.ts", import.meta.url)),
});
