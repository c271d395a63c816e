import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { agentOf, AGENT_FLAG } from "../clients/agent-flag.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { idText } from "../render/spiffe-id.ts";

/** `bonafide agent ban` */
export const agentBan: Command = defineCommand({
  name: "agent ban",
  summary: "shuts a node out until it is evicted: it gets nothing and cannot join again",
  usage: "AGENT-ID [flags]",
  flags: { ...SOCKET_FLAG, ...AGENT_FLAG },
  operands: { min: 0, max: 1 },
  examples: ["bonafide agent ban spiffe://example.org/spire/agent/join_token/6b1c..."],
  async run({ flags, operands, env, output, signal }) {
    const id = agentOf(flags["spiffe-id"], operands);
    using server = connectServer(flags.socket, env);
    await server.client(Agent).banAgent({ id }, { signal });
    const text = idText(id);
    output.result(`banned ${text}`, { banned: text });
    return EXIT.ok;
  },
});
