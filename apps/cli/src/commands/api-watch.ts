import { resolve } from "node:path";
import { openWorkloadApi } from "@bonafide/spiffe";
import { type Command, defineCommand } from "../arguments/command.ts";
import { WORKLOAD_SOCKET_FLAG } from "../clients/connect-agent.ts";
import { requireSocket } from "../clients/socket-client.ts";
import { workloadSocket } from "../clients/sockets.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide api watch` */
export const apiWatch: Command = defineCommand({
  name: "api watch",
  summary: "prints this process's X509-SVIDs at each change, until it is stopped",
  flags: WORKLOAD_SOCKET_FLAG,
  examples: ["bonafide api watch", "bonafide exec --as web -- bonafide api watch --json"],
  async run({ flags, env, output, signal }) {
    const choice = workloadSocket(flags.socket, env);
    requireSocket("agent", choice);
    await using api = openWorkloadApi({ address: `unix://${resolve(choice.path)}` });
    try {
      for await (const { svids } of api.watchX509Contexts({ signal })) {
        const told = svids.map((svid) => ({
          spiffeId: svid.id,
          hint: svid.hint,
          expiresAt: new Date(svid.notAfter).toISOString(),
          serialNumber: String(svid.chain[0].serial),
        }));
        const lines = told.map(
          ({ spiffeId, expiresAt, serialNumber }) =>
            `${spiffeId}  expires ${expiresAt}  serial ${serialNumber}`,
        );
        output.result(lines.join("\n"), { svids: told });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return EXIT.ok;
  },
});
