import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { allPages } from "../clients/all-pages.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { table } from "../output.ts";
import { isoSeconds } from "../render/entry.ts";
import { idText } from "../render/spiffe-id.ts";

const PAGE_SIZE = 500;

/** `bonafide agent list` */
export const agentList: Command = defineCommand({
  name: "agent list",
  summary: "lists the nodes that have joined",
  flags: {
    ...SOCKET_FLAG,
    banned: { kind: "boolean", help: "only banned ones", spire: "banned" },
  },
  examples: ["bonafide agent list", "bonafide agent list --banned --json"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const filter = flags.banned ? { filter: { byBanned: true } } : {};
    const agents = await allPages(
      (pageToken) =>
        server.client(Agent).listAgents({ pageSize: PAGE_SIZE, pageToken, ...filter }, { signal }),
      (page) => page.agents,
    );
    const described = agents.map((agent) => ({
      id: idText(agent.id),
      attestationType: agent.attestationType,
      banned: agent.banned,
      canReattest: agent.canReattest,
      svidExpiresAt: Number(agent.x509svidExpiresAt),
      serialNumber: agent.x509svidSerialNumber,
      version: agent.agentVersion,
      selectors: agent.selectors.map(({ type, value }) => `${type}:${value}`),
    }));
    const rows = described.map((agent) => [
      agent.id,
      agent.attestationType,
      agent.banned ? "banned" : "live",
      agent.svidExpiresAt === 0 ? "" : isoSeconds(agent.svidExpiresAt),
    ]);
    output.result(
      rows.length === 0
        ? "no agents"
        : table(["AGENT", "ATTESTED BY", "STATE", "SVID EXPIRES"], rows),
      { agents: described },
    );
    return EXIT.ok;
  },
});
