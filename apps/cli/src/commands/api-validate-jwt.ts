import { resolve } from "node:path";
import { openWorkloadApi } from "@bonafide/spiffe";
import { type Command, defineCommand } from "../arguments/command.ts";
import { WORKLOAD_SOCKET_FLAG } from "../clients/connect-agent.ts";
import { requireSocket } from "../clients/socket-client.ts";
import { workloadSocket } from "../clients/sockets.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide api validate jwt` */
export const apiValidateJwt: Command = defineCommand({
  name: "api validate jwt",
  summary: "has the agent judge a JWT-SVID, and says whose it is",
  flags: {
    ...WORKLOAD_SOCKET_FLAG,
    audience: {
      kind: "string",
      help: "who it must be for",
      placeholder: "TEXT",
      required: true,
      spire: "audience",
    },
    svid: {
      kind: "string",
      help: "the token",
      placeholder: "TOKEN",
      required: true,
      spire: "svid",
    },
  },
  examples: ['bonafide api validate jwt --audience spiffe://example.org/db --svid "$TOKEN"'],
  async run({ flags, env, output, signal }) {
    const choice = workloadSocket(flags.socket, env);
    requireSocket("agent", choice);
    await using api = openWorkloadApi({ address: `unix://${resolve(choice.path)}` });
    const { audience, svid } = flags;
    const spiffeId = await api.validateJwtSvid(svid, { audience, signal });
    output.result(spiffeId, { spiffeId });
    return EXIT.ok;
  },
});
