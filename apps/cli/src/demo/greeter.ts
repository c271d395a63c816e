import { systemClock } from "@bonafide/lifetime";
import { runGreeter } from "./run-greeter.ts";

await runGreeter(systemClock);
