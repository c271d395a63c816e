import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { BonafideError } from "@bonafide/errors";
import { UNIX_PEER_ERRORS } from "./errors.ts";
import type { Kernel } from "./kernel/kernel.ts";
import { BACKLOG, CONNECTIONS_MAX, CONNECTIONS_PER_UID_MAX } from "./limits.ts";
import { because } from "./peer-refusals.ts";
import { prepareSocketFolder } from "./socket-folder.ts";
import { checkSocketPath, removeStaleSocket } from "./socket-path.ts";
import { UnixPeer, type UnixPeerOptions } from "./unix-peer.ts";

/** One accepted connection. */
export interface UnixConnection {
  /** Unique in this process: the listener's label and a number. */
  readonly id: string;
  readonly socket: Socket;
  /** Label of the listener it came through. */
  readonly label: string;
  /**
   * The process that connected; closed with the connection.
   *
   * @throws the refusal of {@link UnixPeer.open}, the same each time, so that a call can be answered with it
   */
  readonly caller: () => UnixPeer;
}

/** Why a connection was closed without a word. */
export type DroppedConnection =
  | { readonly kind: "connections-exceeded" }
  | { readonly kind: "connections-of-uid-exceeded"; readonly uid: number }
  | { readonly kind: "descriptor-lost" };

/** Options of {@link listenUnix}. */
export interface ListenUnixOptions extends UnixPeerOptions {
  readonly kernel: Kernel;
  /** Absolute, at most 107 bytes. */
  readonly path: string;
  /** Mode of the socket, e.g. 0o777 for one that every user may call. */
  readonly mode: number;
  /** Widest mode of its folder, and the mode of one that is made now. */
  readonly folderMode: number;
  /** Default `default`; part of connection ids. */
  readonly label?: string;
  /** Default 4096, cut by net.core.somaxconn. */
  readonly backlog?: number;
  /** Default 8192. */
  readonly connectionsMax?: number;
  /** For each user but root, default 1024; and none may have more than what is left for all others. */
  readonly connectionsPerUidMax?: number;
  /** Who answers for a uid, as a user does for its subordinate uids; default: each for itself. */
  readonly ownerOf?: (uid: number) => number;
  /** Called for each connection, in the turn that accepted it. */
  readonly onConnection: (connection: UnixConnection) => void;
  /** Called for each connection that was closed at once, default: nothing. */
  readonly onDropped?: (dropped: DroppedConnection) => void;
}

/** A listening unix socket that knows its callers. */
export interface UnixListener extends AsyncDisposable {
  readonly path: string;
  readonly label: string;
  /** Connections that are open now. */
  connectionCount(): number;
  /**
   * The caller of an open connection.
   *
   * @throws CONNECTION_CLOSED  no such connection, or it is closed
   * @throws the refusal of {@link UnixPeer.open}
   */
  caller(connectionId: string): UnixPeer;
  /** Stops listening, destroys the connections, removes the path. Idempotent. */
  close(): Promise<void>;
}

type Caller =
  | { readonly kind: "peer"; readonly peer: UnixPeer }
  | { readonly kind: "refused"; readonly refusal: unknown };

interface Open {
  readonly caller: Caller;
  readonly socket: Socket;
}

let connections = 0;

/**
 * Listens on a unix socket and identifies each caller at accept.
 *
 * @throws SOCKET_PATH_INVALID, SOCKET_PATH_TOO_LONG  by the path alone
 * @throws SOCKET_FOLDER_UNSAFE                       others could replace the socket
 * @throws SOCKET_IN_USE, SOCKET_PATH_OCCUPIED        something that is not stale is there
 * @stability stable
 */
export async function listenUnix(options: ListenUnixOptions): Promise<UnixListener> {
  const { path, label = "default", kernel, onDropped = () => {} } = options;
  const { connectionsMax = CONNECTIONS_MAX } = options;
  const { connectionsPerUidMax = CONNECTIONS_PER_UID_MAX, ownerOf = (uid) => uid } = options;
  checkSocketPath(path);
  prepareSocketFolder(path, options.folderMode);
  await removeStaleSocket(path);

  const open = new Map<string, Open>();
  const perOwner = new Map<number, number>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // A peer that resets is not our failure; whoever uses the socket sees its close.
    socket.on("error", () => {});
    // Read in this turn: the handle is gone as soon as a dead peer's end is noticed.
    const fd = descriptorOf(socket);
    const drop = (dropped: DroppedConnection): void => {
      socket.destroy();
      onDropped(dropped);
    };
    if (fd === undefined) {
      drop({ kind: "descriptor-lost" });
      return;
    }
    const uid = uidOf(kernel, fd);
    if (uid === undefined) {
      drop({ kind: "descriptor-lost" });
      return;
    }
    const owner = ownerOf(uid);
    const own = perOwner.get(owner) ?? 0;
    if (open.size >= connectionsMax) {
      drop({ kind: "connections-exceeded" });
      return;
    }
    // Whoever has more than what is left is refused, so that many users together leave room for one who comes new.
    const isFull = own >= connectionsPerUidMax || own > connectionsMax - open.size;
    if (owner !== 0 && isFull) {
      drop({ kind: "connections-of-uid-exceeded", uid });
      return;
    }
    const caller = identify(kernel, fd, options);
    const id = `${label}-${++connections}`;
    open.set(id, { caller, socket });
    perOwner.set(owner, own + 1);
    socket.once("close", () => {
      open.delete(id);
      const left = (perOwner.get(owner) ?? 1) - 1;
      if (left === 0) perOwner.delete(owner);
      else perOwner.set(owner, left);
      if (caller.kind === "peer") caller.peer.close();
    });
    options.onConnection({ id, socket, label, caller: () => known(caller) });
  });
  await listening(server, path, options.backlog ?? BACKLOG);
  chmodSync(path, options.mode);

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      for (const { socket } of open.values()) socket.destroy();
    });
    return closing;
  };
  return {
    path,
    label,
    connectionCount: () => open.size,
    caller(connectionId) {
      const entry = open.get(connectionId);
      if (entry !== undefined) return known(entry.caller);
      throw new BonafideError(UNIX_PEER_ERRORS, "CONNECTION_CLOSED", "the connection is closed", {
        details: because("caller.gone"),
      });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Undefined when the kernel refuses: then there is nobody to count the connection for. */
function uidOf(kernel: Kernel, fd: number): number | undefined {
  try {
    return kernel.peerCredentials(fd).uid;
  } catch {
    return undefined;
  }
}

function identify(kernel: Kernel, fd: number, options: UnixPeerOptions): Caller {
  try {
    return { kind: "peer", peer: UnixPeer.open(kernel, fd, options) };
  } catch (refusal) {
    return { kind: "refused", refusal };
  }
}

function known(caller: Caller): UnixPeer {
  if (caller.kind === "refused") throw caller.refusal;
  return caller.peer;
}

/** Undocumented in Node, so shown to be a descriptor before it is used. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) return undefined;
  const fd: unknown = Reflect.get(handle, "fd");
  return typeof fd === "number" && Number.isInteger(fd) && fd >= 0 ? fd : undefined;
}

function listening(server: Server, path: string, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path, backlog }, () => {
      server.removeListener("error", reject);
      server.on("error", () => {});
      resolve();
    });
  });
}
