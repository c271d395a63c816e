import process from "node:process";
import { runGreeter } from "@bonafide/cli/run-greeter";
import { later } from "./clock.ts";

await runGreeter(later, process.argv.slice(2));
