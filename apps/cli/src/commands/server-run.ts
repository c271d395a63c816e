import { type Command, defineCommand } from "../arguments/command.ts";
import { loadServerConfig } from "../config/server-config.ts";
import { SERVER_FLAGS, serverFlagValues } from "../config/server-flags.ts";
import { EXIT } from "../exit-codes.ts";
import { hardenProcess } from "../process/hardening.ts";
import { openParent } from "../process/parent.ts";
import { runServer } from "../run/run-server.ts";

/** `bonafide server run` */
export const serverRun: Command = defineCommand({
  name: "server run",
  summary: "runs a server until it is stopped; its log goes to standard error",
  flags: {
    ...SERVER_FLAGS,
    "parent-fd-3": {
      kind: "boolean",
      help: "descriptor 3 is a socket: say there when it serves, and end with it",
    },
  },
  examples: [
    "bonafide server run --trust-domain example.org --data-dir /var/lib/bonafide/server",
    "bonafide server run --config server.yaml",
  ],
  async run({ flags, output, signal, machine }) {
    hardenProcess();
    const parent = openParent(flags["parent-fd-3"]);
    await runServer({
      config: loadServerConfig(flags.config, serverFlagValues(flags)),
      signal: AbortSignal.any([signal, parent.gone]),
      clock: machine.clock,
      onHeld: (message) => {
        output.note(`bonafide: on hold: ${message}`);
      },
      onReady: (facts) => {
        const serves =
          facts.port === "0" ? "on hold, no port is open" : `serving on port ${facts.port}`;
        output.result(`${serves}; admin socket ${facts.adminSocket}`, facts);
        parent.tellReady({ ...facts });
      },
    });
    return EXIT.ok;
  },
});
