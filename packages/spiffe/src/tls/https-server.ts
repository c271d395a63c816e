import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { ListenOptions, Socket } from "node:net";
import { BonafideError } from "@bonafide/errors";
import { SPIFFE_ERRORS } from "../errors.ts";
import { createTlsAcceptor, type TlsAcceptor, type TlsAcceptorOptions } from "./acceptor.ts";
import type { VerifiedPeer } from "./verified-peer.ts";

/** A request whose sender was verified. */
export interface VerifiedRequest extends IncomingMessage {
  /** Who is calling. */
  readonly peer: VerifiedPeer;
}

/** Answers requests; an Express or connect application is one too, and gets the peer by {@link httpPeer}. */
export type VerifiedRequestListener = (request: VerifiedRequest, response: ServerResponse) => void;

/** Options of {@link createHttpsServer}. */
export interface HttpsServerOptions extends Omit<TlsAcceptorOptions, "alpn"> {
  /** Of the HTTP server: sizes and timeouts. */
  readonly http?: ServerOptions;
}

/** An HTTPS server that nobody reaches unverified. */
export interface HttpsServer extends TlsAcceptor {
  /** The HTTP server behind the acceptor, for its events; it listens on nothing. */
  readonly http: Server;
}

const peers = new WeakMap<Socket, VerifiedPeer>();
const retiring = new WeakSet<Socket>();

/**
 * Makes an HTTPS server over HTTP/1.1. Nothing of a request is read before its connection was verified and admitted.
 *
 * @example
 *   const server = createHttpsServer({ source, authorize: memberOf("example.org") }, (request, response) => {
 *     response.end(`Hello ${request.peer.spiffeId}`);
 *   });
 *   await server.listen({ port: 8443 });
 */
export function createHttpsServer(
  options: HttpsServerOptions,
  listener: VerifiedRequestListener,
): HttpsServer {
  const http = createServer(options.http ?? {}, (request, response) => {
    if (retiring.has(request.socket)) response.shouldKeepAlive = false;
    listener(withPeer(request), response);
  });
  // The checks of header and request timeouts start with this event, and the server itself never listens.
  http.emit("listening");
  const acceptor = createTlsAcceptor({ ...options, alpn: ["http/1.1"] }, (socket, peer) => {
    peers.set(socket, peer);
    http.emit("connection", socket);
    return {
      retire: () => {
        retiring.add(socket);
      },
    };
  });
  return new AcceptingHttpsServer(http, acceptor);
}

/**
 * Who sent a request, also where a framework made another object of it.
 *
 * @throws PEER_ANONYMOUS  the connection did not come from {@link createHttpsServer}
 */
export function httpPeer(request: { readonly socket: Socket }): VerifiedPeer {
  const peer = peers.get(request.socket);
  if (peer !== undefined) return peer;
  throw new BonafideError(
    SPIFFE_ERRORS,
    "PEER_ANONYMOUS",
    "the request came by a connection that nobody verified",
  );
}

class AcceptingHttpsServer implements HttpsServer {
  readonly http: Server;
  readonly #acceptor: TlsAcceptor;

  constructor(http: Server, acceptor: TlsAcceptor) {
    this.http = http;
    this.#acceptor = acceptor;
  }

  get connections(): number {
    return this.#acceptor.connections;
  }

  listen(options: ListenOptions): Promise<number> {
    return this.#acceptor.listen(options);
  }

  retireAll(): void {
    this.#acceptor.retireAll();
  }

  async close(): Promise<void> {
    await this.#acceptor.close();
    this.http.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** An own property, because frameworks replace the prototype. */
function withPeer(request: IncomingMessage): VerifiedRequest {
  return Object.assign(request, { peer: httpPeer(request) });
}
