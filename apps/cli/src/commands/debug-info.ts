import { Debug as AgentDebug } from "@bonafide/proto/spire/api/agent/debug/v1/debug_pb";
import { Debug as ServerDebug } from "@bonafide/proto/spire/api/server/debug/v1/debug_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { formatDurationMs } from "../arguments/duration.ts";
import { AGENT_SOCKET_FLAG, connectAgent } from "../clients/connect-agent.ts";
import { connectServer, SOCKET_FLAG } from "../clients/connect-server.ts";
import { EXIT } from "../exit-codes.ts";
import { isoSeconds } from "../render/entry.ts";
import { idText } from "../render/spiffe-id.ts";

interface Link {
  readonly id?: { readonly trustDomain: string; readonly path: string } | undefined;
  readonly expiresAt: bigint;
  readonly subject: string;
}

/** `bonafide server info` */
export const serverInfo: Command = defineCommand({
  name: "server info",
  summary: "says what a running server holds: how long it runs, its own SVID, how much it knows",
  flags: SOCKET_FLAG,
  examples: ["bonafide server info"],
  async run({ flags, env, output, signal }) {
    using server = connectServer(flags.socket, env);
    const info = await server.client(ServerDebug).getInfo({}, { signal });
    const facts = {
      uptimeSeconds: info.uptime,
      agents: info.agentsCount,
      entries: info.entriesCount,
      federatedBundles: info.federatedBundlesCount,
      svidChain: info.svidChain.map(linkJson),
    };
    output.result(
      [
        `up ${formatDurationMs(info.uptime * 1000)}`,
        `${facts.agents} agents, ${facts.entries} entries, ${facts.federatedBundles} bundles of others`,
        ...info.svidChain.map(linkText),
      ].join("\n"),
      facts,
    );
    return EXIT.ok;
  },
});

/** `bonafide agent info` */
export const agentInfo: Command = defineCommand({
  name: "agent info",
  summary: "says what a running agent holds: how long it runs, its own SVID, what it keeps ready",
  flags: AGENT_SOCKET_FLAG,
  examples: ["bonafide agent info"],
  async run({ flags, env, output, signal }) {
    using agent = connectAgent(flags.socket, env);
    const info = await agent.client(AgentDebug).getInfo({}, { signal });
    const facts = {
      uptimeSeconds: info.uptime,
      lastSyncAt: Number(info.lastSyncSuccess),
      x509Svids: info.cachedX509SvidsCount,
      jwtSvids: info.cachedJwtSvidsCount,
      svidChain: info.svidChain.map(linkJson),
    };
    output.result(
      [
        `up ${formatDurationMs(info.uptime * 1000)}`,
        `${facts.x509Svids} X509-SVIDs and ${facts.jwtSvids} JWT-SVIDs kept`,
        ...(facts.lastSyncAt === 0 ? [] : [`heard of the server ${isoSeconds(facts.lastSyncAt)}`]),
        ...info.svidChain.map(linkText),
      ].join("\n"),
      facts,
    );
    return EXIT.ok;
  },
});

function linkJson({ id, expiresAt, subject }: Link): {
  readonly spiffeId: string;
  readonly expiresAt: number;
  readonly subject: string;
} {
  return { spiffeId: idText(id), expiresAt: Number(expiresAt), subject };
}

function linkText(link: Link): string {
  const { spiffeId, expiresAt, subject } = linkJson(link);
  return `${spiffeId === "" ? subject : spiffeId}  expires ${isoSeconds(expiresAt)}`;
}
