import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { AGENT_FLAG, agentOf } from "../clients/agent-flag.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { agentJson, agentText } from "../render/agent.ts";

/** `bonafide agent show` */
export const agentShow: Command = defineCommand({
  name: "agent show",
  summary: "shows one node: how it was attested, and what was observed of it",
  usage: "AGENT-ID [flags]",
  flags: { ...SOCKET_FLAG, ...AGENT_FLAG },
  operands: { min: 0, max: 1 },
  examples: ["bonafide agent show spiffe://example.org/spire/agent/join_token/6b1c..."],
  async run({ flags, operands, env, output, signal }) {
    const id = agentOf(flags["spiffe-id"], operands);
    using server = connectServer(flags.socket, env);
    const agent = agentJson(await server.client(Agent).getAgent({ id }, { signal }));
    output.result(agentText(agent), agent);
    return EXIT.ok;
  },
});
