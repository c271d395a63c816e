import { connectSocket, type SocketClient } from "./socket-client.ts";
import { agentAdminSocket, workloadSocket } from "./sockets.ts";

/** The flag of commands that speak to the agent as its operator. */
export const AGENT_SOCKET_FLAG = {
  socket: {
    kind: "string",
    help: "the agent's admin socket; else BONAFIDE_AGENT_SOCKET",
    placeholder: "PATH",
    spire: "adminSocketPath",
  },
} as const;

/** The flag of commands that speak to the agent as a workload. */
export const WORKLOAD_SOCKET_FLAG = {
  socket: {
    kind: "string",
    help: "the Workload API's socket; else SPIFFE_ENDPOINT_SOCKET",
    placeholder: "PATH",
    spire: "socketPath",
  },
} as const;

type Env = Readonly<Record<string, string | undefined>>;

/** Prepares calls to the agent's admin socket. @throws SOCKET_MISSING */
export function connectAgent(flag: string | undefined, env: Env): SocketClient {
  return connectSocket("agent", agentAdminSocket(flag, env));
}

/** Prepares calls to the agent's workload socket, as any process may. @throws SOCKET_MISSING */
export function connectWorkloadSocket(flag: string | undefined, env: Env): SocketClient {
  return connectSocket("agent", workloadSocket(flag, env));
}
