import process from "node:process";
import { systemClock } from "@bonafide/lifetime";
import { runGreeter } from "./run-greeter.ts";

await runGreeter(systemClock, process.argv.slice(2));
