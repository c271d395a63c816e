import process from "node:process";
import { explainSocket, socketFault } from "@bonafide/agent/socket-fault";
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
 * @throws SOCKET_MISSING, SOCKET_NOT_PERMITTED  see {@link requireSocket}
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

/**
 * Refuses a path at which no socket is, with where the path came from, or which this user may not reach, with what
 * refuses.
 *
 * @throws SOCKET_MISSING, SOCKET_NOT_PERMITTED  with `details.cause`, as `why` names it
 */
export function requireSocket(who: "server" | "agent", choice: SocketChoice): void {
  const { path, source } = choice;
  const fault = socketFault(
    { path, from: source },
    {
      uid: process.geteuid?.() ?? 0,
      gid: process.getegid?.() ?? 0,
      groups: process.getgroups?.() ?? [],
    },
  );
  if (fault === undefined) return;
  const { code: cause, says } = explainSocket(fault);
  if (fault.kind === "not_permitted") {
    const next = `call this as uid ${fault.ownerUid}, or let your user into ${fault.component}`;
    throw new BonafideError(CLI_ERRORS, "SOCKET_NOT_PERMITTED", says, { details: { cause, next } });
  }
  throw new BonafideError(
    CLI_ERRORS,
    "SOCKET_MISSING",
    `no ${who} listens at ${path} (from ${source})`,
    {
      details: {
        cause,
        next: `start one with bonafide up or bonafide ${who} run; if one runs, call this where up was called, or give --socket`,
      },
    },
  );
}
