import { connectSocket, type SocketClient } from "./socket-client.ts";
import { serverSocket } from "./sockets.ts";

/** The flag of commands that speak to the server. */
export const SOCKET_FLAG = {
  socket: {
    kind: "string",
    help: "the server's admin socket; else BONAFIDE_SERVER_SOCKET",
    placeholder: "PATH",
    spire: "socketPath",
  },
} as const;

/** Prepares calls to the server's admin socket. @throws SOCKET_MISSING */
export function connectServer(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): SocketClient {
  return connectSocket("server", serverSocket(flag, env));
}
