import { type ChannelCredentials, Client as GrpcClient, credentials } from "@grpc/grpc-js";
import { CALL_TIMEOUT_MS, MESSAGE_BYTES_MAX } from "./limits.ts";

/** Options of {@link openChannel} and {@link openUnixChannel}. */
export interface ChannelOptions {
  /** How the peer is verified. Default: not at all, which is right for unix sockets only. */
  readonly credentials?: ChannelCredentials;
  /** The `:authority` to send. Default: of a unix socket `localhost`, else the target's. */
  readonly authority?: string;
  /** Deadline in ms of calls that answer once and give none. Default {@link CALL_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
  /** Largest message in bytes, either way. Default {@link MESSAGE_BYTES_MAX}. */
  readonly messageBytesMax?: number;
  /** While calls run, a peer that answers no ping within 10 s is given up; asked so often, in ms. Default 30_000. */
  readonly keepaliveMs?: number;
  /** Longest wait in ms between attempts to connect; the first is a tenth. Default 5_000. */
  readonly reconnectMsMax?: number;
}

const KEEPALIVE_TIMEOUT_MS = 10_000;

/**
 * A connection to one server, made when first needed and again when lost. Nothing is shared with other channels, so
 * that a new channel is a new connection.
 */
export class Channel {
  /** grpc-js's client of this channel. */
  readonly grpc: GrpcClient;
  /** Deadline in ms of calls that answer once and give none. */
  readonly timeoutMs: number;

  #closed = false;

  /** @param target  As grpc-js spells it: `host:port`, `unix:/path`. */
  constructor(target: string, options: ChannelOptions) {
    const messageBytesMax = options.messageBytesMax ?? MESSAGE_BYTES_MAX;
    const reconnectMsMax = options.reconnectMsMax ?? 5_000;
    this.timeoutMs = options.timeoutMs ?? CALL_TIMEOUT_MS;
    this.grpc = new GrpcClient(target, options.credentials ?? credentials.createInsecure(), {
      "grpc.enable_channelz": 0,
      // No proxy from the environment and no service config from DNS: neither is ours to obey.
      "grpc.enable_http_proxy": 0,
      "grpc.service_config_disable_resolution": 1,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": messageBytesMax,
      "grpc.max_send_message_length": messageBytesMax,
      "grpc.initial_reconnect_backoff_ms": Math.ceil(reconnectMsMax / 10),
      "grpc.max_reconnect_backoff_ms": reconnectMsMax,
      ...(Number.isFinite(options.keepaliveMs ?? 30_000)
        ? {
            "grpc.keepalive_time_ms": options.keepaliveMs ?? 30_000,
            "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
          }
        : {}),
      ...(options.authority === undefined ? {} : { "grpc.default_authority": options.authority }),
    });
  }

  /** Whether {@link Channel.close} was called: no call starts any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Lets go of the connection; calls that still run go on to their end. Idempotent. */
  close(): void {
    this.#closed = true;
    this.grpc.close();
  }

  /** The same as {@link Channel.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Opens a channel to `host:port`, or to another target that grpc-js understands. Connects at the first call. */
export function openChannel(target: string, options: ChannelOptions = {}): Channel {
  return new Channel(target, options);
}

/** Opens a channel to a unix socket. Connects at the first call. */
export function openUnixChannel(path: string, options: ChannelOptions = {}): Channel {
  return new Channel(`unix:${path}`, {
    authority: "localhost",
    keepaliveMs: Number.POSITIVE_INFINITY,
    reconnectMsMax: 1_000,
    ...options,
  });
}
