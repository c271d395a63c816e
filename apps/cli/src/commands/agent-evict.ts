import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { agentOf, AGENT_FLAG } from "../clients/agent-flag.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { idText } from "../render/spiffe-id.ts";

/** `bonafide agent evict` */
export const agentEvict: Command = defineCommand({
  name: "agent evict",
  summary: "forgets a node: its SVID is dead, and it may join anew; lifts a ban",
  usage: "AGENT-ID [flags]",
  flags: { ...SOCKET_FLAG, ...AGENT_FLAG },
  operands: { min: 0, max: 1 },
  examples: ["bonafide agent evict spiffe://example.org/spire/agent/join_token/6b1c..."],
  async run({ flags, operands, env, output, signal }) {
    const id = agentOf(flags["spiffe-id"], operands);
    using server = connectServer(flags.socket, env);
    await server.client(Agent).deleteAgent({ id }, { signal });
    const text = idText(id);
    output.result(`evicted ${text}`, { evicted: text });
    return EXIT.ok;
  },
});
