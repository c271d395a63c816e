import process from "node:process";
import { fileURLToPath } from "node:url";
import { systemClock } from "@bonafide/lifetime";
import { runMain } from "./run-main.ts";

await runMain({
  clock: systemClock,
  cli: [...process.execArgv, fileURLToPath(import.meta.url)],
  greeter: fileURLToPath(new URL("./demo/greeter.ts", import.meta.url)),
  visitor: fileURLToPath(new URL("./demo/visitor.ts", import.meta.url)),
});
