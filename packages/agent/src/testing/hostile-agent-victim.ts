import { serveVictim } from "@bonafide/rpc/testing";
import { openHostileAgent } from "./hostile-agent.ts";

await serveVictim(openHostileAgent);
