import { type Command, defineCommand } from "../arguments/command.ts";
import { loadServerConfig } from "../config/server-config.ts";
import { SERVER_FLAGS, serverFlagValues } from "../config/server-flags.ts";
import { EXIT } from "../exit-codes.ts";
import { hardenProcess } from "../process/hardening.ts";
import { tellReady } from "../process/ready.ts";
import { runServer } from "../run/run-server.ts";

/** `bonafide server run` */
export const serverRun: Command = defineCommand({
  name: "server run",
  summary: "runs a server until it is stopped; its log goes to standard error",
  flags: {
    ...SERVER_FLAGS,
    "ready-fd-3": {
      kind: "boolean",
      help: "say on descriptor 3, in a line of JSON, when it serves",
    },
  },
  examples: [
    "bonafide server run --trust-domain example.org --data-dir /var/lib/bonafide/server",
    "bonafide server run --config server.yaml",
  ],
  async run({ flags, output, signal, machine }) {
    hardenProcess();
    await runServer({
      config: loadServerConfig(flags.config, serverFlagValues(flags)),
      signal,
      clock: machine.clock,
      onReady: (facts) => {
        output.result(`serving on port ${facts.port}; admin socket ${facts.adminSocket}`, facts);
        tellReady(flags["ready-fd-3"], { ...facts });
      },
    });
    return EXIT.ok;
  },
});
