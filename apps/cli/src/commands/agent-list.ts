import { type Command, defineCommand } from "../arguments/command.ts";
import { AGENT_FILTER_FLAGS, agentFilter } from "../clients/agent-filter.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { listAgents } from "../clients/list-agents.ts";
import { EXIT } from "../exit-codes.ts";
import { table } from "../output.ts";
import { agentJson } from "../render/agent.ts";
import { isoSeconds } from "../render/entry.ts";

/** `bonafide agent list` */
export const agentList: Command = defineCommand({
  name: "agent list",
  summary: "lists the nodes that have joined",
  flags: { ...SOCKET_FLAG, ...AGENT_FILTER_FLAGS },
  examples: [
    "bonafide agent list",
    "bonafide agent list --banned --json",
    "bonafide agent list --expires-before 2026-12-31T00:00:00Z",
  ],
  async run({ flags, env, output, signal }) {
    const filter = agentFilter(flags);
    using server = connectServer(flags.socket, env);
    const agents = (await listAgents(server, filter, { signal })).map(agentJson);
    const rows = agents.map((agent) => [
      agent.id,
      agent.attestationType,
      agent.banned ? "banned" : "live",
      agent.svidExpiresAt === 0 ? "" : isoSeconds(agent.svidExpiresAt),
    ]);
    output.result(
      rows.length === 0
        ? "no agents"
        : table(["AGENT", "ATTESTED BY", "STATE", "SVID EXPIRES"], rows),
      { agents },
    );
    return EXIT.ok;
  },
});
