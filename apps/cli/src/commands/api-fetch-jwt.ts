import { resolve } from "node:path";
import { openWorkloadApi } from "@bonafide/spiffe";
import { type Command, defineCommand } from "../arguments/command.ts";
import { formatDurationMs } from "../arguments/duration.ts";
import { WORKLOAD_SOCKET_FLAG } from "../clients/connect-agent.ts";
import { requireSocket } from "../clients/socket-client.ts";
import { workloadSocket } from "../clients/sockets.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide api fetch jwt` */
export const apiFetchJwt: Command = defineCommand({
  name: "api fetch jwt",
  summary: "fetches JWT-SVIDs of this process from the Workload API",
  flags: {
    ...WORKLOAD_SOCKET_FLAG,
    audience: {
      kind: "string",
      help: "for whom it is, such as the SPIFFE ID of the server",
      placeholder: "TEXT",
      required: true,
      spire: "audience",
    },
    "spiffe-id": {
      kind: "string",
      help: "which identity, if this process has several",
      placeholder: "ID",
      spire: "spiffeID",
    },
  },
  examples: ["bonafide api fetch jwt --audience spiffe://example.org/db"],
  async run({ flags, env, output, signal }) {
    const choice = workloadSocket(flags.socket, env);
    requireSocket("agent", choice);
    await using api = openWorkloadApi({ address: `unix://${resolve(choice.path)}` });
    const id = flags["spiffe-id"];
    const svids = await api.fetchJwtSvids(flags.audience, {
      signal,
      ...(id === undefined ? {} : { id }),
    });
    output.result(svids.map(({ token }) => token).join("\n"), {
      svids: svids.map(({ id: spiffeId, hint, token, audience, expiresAt }) => ({
        spiffeId,
        hint,
        audience,
        expiresAt: new Date(expiresAt).toISOString(),
        token,
      })),
    });
    for (const { id: spiffeId, expiresAt } of svids) {
      output.note(`${spiffeId}, good for ${formatDurationMs(expiresAt - Date.now())}`);
    }
    return EXIT.ok;
  },
});
