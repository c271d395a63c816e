import { existsSync } from "node:fs";
import { Status } from "@bonafide/proto/bonafide/admin/v1/status_pb";
import { Diagnosis } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectAgent } from "../clients/connect-agent.ts";
import { connectServer } from "../clients/connect-server.ts";
import { agentAdminSocket, serverSocket } from "../clients/sockets.ts";
import { EXIT } from "../exit-codes.ts";
import { agentStatusJson, agentStatusText } from "../render/agent-status.ts";
import { serverStatusJson, serverStatusText } from "../render/server-status.ts";

/** `bonafide status` */
export const status: Command = defineCommand({
  name: "status",
  summary:
    "says how the servers, nodes and authorities stand, and how long all lasts if every server died now",
  flags: {
    "server-socket": {
      kind: "string",
      help: "the server's admin socket; else BONAFIDE_SERVER_SOCKET",
      placeholder: "PATH",
    },
    "agent-socket": {
      kind: "string",
      help: "the agent's admin socket; else BONAFIDE_AGENT_SOCKET",
      placeholder: "PATH",
    },
  },
  examples: ["bonafide status", "bonafide status --json"],
  async run({ flags, env, output, signal, machine }) {
    const sockets = {
      server: serverSocket(flags["server-socket"], env),
      agent: agentAdminSocket(flags["agent-socket"], env),
    };
    // A node has an agent and mostly no server; who names one wants it.
    const hasAgent = flags["agent-socket"] !== undefined || existsSync(sockets.agent.path);
    const hasServer =
      flags["server-socket"] !== undefined || !hasAgent || existsSync(sockets.server.path);
    const options = { signal, timeoutMs: 10_000 };
    const texts: string[] = [];
    const told: Record<string, unknown> = { server: null, agent: null };
    let isWell = true;
    if (hasServer) {
      using server = connectServer(flags["server-socket"], env);
      const facts = serverStatusJson(await server.client(Status).getStatus({}, options));
      told["server"] = facts;
      texts.push(serverStatusText(facts));
      isWell &&= facts.held === null;
    }
    if (hasAgent) {
      using agent = connectAgent(flags["agent-socket"], env);
      const facts = agentStatusJson(await agent.client(Diagnosis).getStatus({}, options));
      told["agent"] = facts;
      texts.push(agentStatusText(facts, machine.clock.now()));
      isWell &&= facts.problems.length === 0;
    }
    output.advice(texts.join("\n\n"), told);
    return isWell ? EXIT.ok : EXIT.no;
  },
});
