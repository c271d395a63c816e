import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { isBonafideError } from "@bonafide/errors";
import { type Channel, type Client, createClient, openChannel, RpcError } from "@bonafide/rpc";
import type { TlsConnector } from "@bonafide/spiffe";
import type { DescService } from "@bufbuild/protobuf";
import { CallCredentials, ChannelCredentials } from "@grpc/grpc-js";
import { KEEPALIVE_MS, SERVER_CALL_MS, SERVER_MESSAGE_BYTES_MAX } from "../limits.ts";

/** How the system names a failure, within the sentence that grpc-js makes of it. */
const SYSTEM_CODE = /\bE[A-Z]{3,20}\b/;

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** Does the TLS handshake over a connected socket; decides alone whom to trust. */
export type Handshake = (socket: Socket) => Promise<TLSSocket>;

/** A handshake by the SDK's connector: the server is verified before a byte is sent. */
export function verifiedHandshake(connector: TlsConnector, host: string): Handshake {
  return async (socket) => (await connector.connect({ socket, host }, { alpn: ["h2"] })).socket;
}

/**
 * One connection to a server, and the calls on it. A lost one is not mended: its owner opens another, so that each
 * connection belongs to one SVID and each failure has one reason.
 */
export class ServerLink {
  readonly #channel: Channel;
  readonly #credentials: LinkCredentials;
  readonly #name: string;

  constructor(address: ServerAddress, handshake: Handshake) {
    this.#credentials = new LinkCredentials(handshake);
    const host = address.host.includes(":") ? `[${address.host}]` : address.host;
    this.#name = `${host}:${address.port}`;
    this.#channel = openChannel(this.#name, {
      credentials: this.#credentials,
      authority: this.#name,
      timeoutMs: SERVER_CALL_MS,
      messageBytesMax: SERVER_MESSAGE_BYTES_MAX,
      keepaliveMs: KEEPALIVE_MS,
    });
  }

  client<S extends DescService>(service: S): Client<S> {
    return createClient(service, this.#channel);
  }

  /** What a failed call really died of: the refused handshake, where there was one, or the system's refusal. */
  reasonOf(error: unknown): unknown {
    if (!isBonafideError(error, "RPC_UNAVAILABLE")) return error;
    if (this.#credentials.failure !== undefined) return this.#credentials.failure;
    const code = SYSTEM_CODE.exec(error.message)?.[0];
    if (code === undefined) return error;
    const text = `the server ${this.#name} cannot be reached: ${code}`;
    return new RpcError("unavailable", text, [], error.cause);
  }

  /** Keying material of the connection in use (RFC 5705); undefined when there is none. */
  exportKeyingMaterial(label: string, length: number): Uint8Array | undefined {
    const socket = this.#credentials.socket;
    if (socket === undefined || socket.destroyed) return undefined;
    return new Uint8Array(socket.exportKeyingMaterial(length, label, Buffer.alloc(0)));
  }

  /** No new calls; running ones go on to their end. Idempotent. */
  close(): void {
    this.#channel.close();
  }

  /** Ends the connection and every call on it. Idempotent. */
  destroy(): void {
    this.#channel.close();
    this.#credentials.socket?.destroy();
  }
}

/** Hands grpc-js a socket whose other end was judged by the handshake, or the reason why there is none. */
class LinkCredentials extends ChannelCredentials {
  readonly #handshake: Handshake;
  failure: unknown;
  socket: TLSSocket | undefined;

  constructor(handshake: Handshake) {
    super();
    this.#handshake = handshake;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(): ReturnType<ChannelCredentials["_createSecureConnector"]> {
    return {
      connect: async (socket) => {
        try {
          this.socket = await this.#handshake(socket);
          this.failure = undefined;
          return { socket: this.socket, secure: true };
        } catch (error) {
          this.failure = error;
          throw error;
        }
      },
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => CallCredentials.createEmpty(),
      destroy: () => {},
    };
  }
}
