import process from "node:process";
import { systemClock } from "@bonafide/lifetime";
import { runVisitor } from "./run-visitor.ts";

await runVisitor(systemClock, process.argv.slice(2));
