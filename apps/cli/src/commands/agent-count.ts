import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { AGENT_FILTER_FLAGS, agentFilter } from "../clients/agent-filter.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide agent count` */
export const agentCount: Command = defineCommand({
  name: "agent count",
  summary: "says how many nodes have joined",
  flags: { ...SOCKET_FLAG, ...AGENT_FILTER_FLAGS },
  examples: ["bonafide agent count", "bonafide agent count --banned"],
  async run({ flags, env, output, signal }) {
    const filter = agentFilter(flags);
    using server = connectServer(flags.socket, env);
    const { count } = await server.client(Agent).countAgents({ filter }, { signal });
    output.result(String(count), { count });
    return EXIT.ok;
  },
});
