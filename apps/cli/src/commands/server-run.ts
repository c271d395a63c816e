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
    let isHeld = false;
    const load = () => loadServerConfig(flags.config, serverFlagValues(flags));
    await runServer({
      config: load(),
      reload: flags.config === undefined ? undefined : load,
      signal: AbortSignal.any([signal, parent.gone]),
      clock: machine.clock,
      onHeld: (message) => {
        isHeld = true;
        output.note(`bonafide: on hold: ${message}`);
      },
      onReady: (facts) => {
        output.result(`${serves(facts.port, isHeld)}; admin socket ${facts.adminSocket}`, {
          ...facts,
          held: isHeld,
        });
        parent.tellReady({ ...facts });
      },
    });
    return EXIT.ok;
  },
});

function serves(port: string, isHeld: boolean): string {
  if (port === "0") return "on hold, no port is open";
  return isHeld
    ? `on hold, writes nothing; serving what it remembers on port ${port}`
    : `serving on port ${port}`;
}
