import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type Channel, type ChannelOptions, openUnixChannel } from "../channel.ts";
import { openServer, type RpcServer, type RpcServerOptions } from "../rpc-server.ts";

/** A real server on a unix socket of its own, for tests. */
export interface TestServer<Peer> extends AsyncDisposable {
  /** Add services to it. */
  readonly server: RpcServer<Peer>;
  /** Path of the socket. */
  readonly path: string;
  /** Opens a channel that is closed with the server. */
  channel(options?: ChannelOptions): Channel;
  /** Closes channels, server and socket. Idempotent. */
  close(): Promise<void>;
}

/** Options of {@link openTestServer}. */
export interface TestServerOptions<Peer> extends RpcServerOptions<Peer> {
  /** Puts something between each socket and the server. */
  readonly wrap?: (socket: Socket) => Duplex;
  /** File name of the socket. Default `s.sock`. */
  readonly socketName?: string;
}

/**
 * Opens a server on a unix socket in a new folder below the system's for temporary files.
 *
 * @param peerOf  Judges each connection.
 */
export async function openTestServer<Peer>(
  peerOf: (socket: Socket) => Peer,
  options: TestServerOptions<Peer> = {},
): Promise<TestServer<Peer>> {
  const folder = await mkdtemp(join(tmpdir(), "bf-rpc-"));
  const path = join(folder, options.socketName ?? "s.sock");
  const server = openServer<Peer>(options);
  const listener = createServer((socket) => {
    server.inject(options.wrap?.(socket) ?? socket, peerOf(socket));
  });
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen({ path, backlog: 4096 }, resolve);
  });
  const channels: Channel[] = [];
  const close = async (): Promise<void> => {
    for (const channel of channels) channel.close();
    if (listener.listening) listener.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    server,
    path,
    channel(channelOptions) {
      const channel = openUnixChannel(path, channelOptions);
      channels.push(channel);
      return channel;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
