import { serveVictim } from "@bonafide/rpc/testing";
import { openHostileServer } from "./hostile-server.ts";

await serveVictim(openHostileServer);
