import process from "node:process";
import { runVisitor } from "@bonafide/cli/run-visitor";
import { later } from "./clock.ts";

await runVisitor(later, process.argv.slice(2));
