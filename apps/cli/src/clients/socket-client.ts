import { statSync } from "node:fs";
import { BonafideError } from "@bonafide/errors";
import { type Client, createClient, openUnixChannel } from "@bonafide/rpc";
import type { DescService } from "@bufbuild/protobuf";
import { CLI_ERRORS } from "../errors.ts";
import type { SocketChoice } from "./sockets.ts";

/** A unix socket to call services on; made when first called. */
export interface SocketClient extends Disposable {
  client<S extends DescService>(service: S): Client<S>;
}

/**
 * Prepares calls over a unix socket.
 *
 * @param who  What listens there, for messages: `server` or `agent`.
 * @throws SOCKET_MISSING  nothing is at the path
 */
export function connectSocket(who: "server" | "agent", choice: SocketChoice): SocketClient {
  requireSocket(who, choice);
  const channel = openUnixChannel(choice.path);
  return {
    client: (service) => createClient(service, channel),
    [Symbol.dispose]() {
      channel.close();
    },
  };
}

/** Refuses a path at which no socket is, with where the path came from. @throws SOCKET_MISSING */
export function requireSocket(who: "server" | "agent", choice: SocketChoice): void {
  const { path, source } = choice;
  let isSocket = false;
  try {
    isSocket = statSync(path).isSocket();
  } catch {
    // Missing, or in a folder that this user may not enter: nobody to talk to either way.
  }
  if (isSocket) return;
  throw new BonafideError(
    CLI_ERRORS,
    "SOCKET_MISSING",
    `no ${who} listens at ${path} (from ${source})`,
    {
      details: {
        next: `start one with bonafide up or bonafide ${who} run; where one runs, call this in the folder of its bonafide up, or give --socket`,
      },
    },
  );
}
