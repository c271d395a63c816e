import { randomUUID } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import { type Server, ServerCredentials } from "@grpc/grpc-js";
import { SPIFFE_ERRORS } from "../errors.ts";
import { createTlsAcceptor, type TlsAcceptor, type TlsAcceptorOptions } from "./acceptor.ts";
import type { VerifiedPeer } from "./verified-peer.ts";

/** Options of {@link createGrpcAcceptor}. */
export type GrpcAcceptorOptions = Omit<TlsAcceptorOptions, "alpn">;

/** Peers of open connections, by a name that nobody outside can guess and another copy of this package never uses. */
const peers = new Map<string, VerifiedPeer>();
const prefix = `spiffe-${randomUUID()}-`;
let count = 0;

/** How long running calls may go on after their connection was asked to end, ms. */
const DRAIN_MS = 30_000;

/**
 * Gives a grpc-js server verified connections only. The server itself is not bound to any port; grpc-js's own TLS server
 * loses intermediates and has no place for a check.
 *
 * @param server  A grpc-js server with its services; close it after the acceptor.
 * @example
 *   const acceptor = createGrpcAcceptor(server, { source, authorize: memberOf("example.org") });
 *   await acceptor.listen({ port: 8443 });
 */
export function createGrpcAcceptor(server: Server, options: GrpcAcceptorOptions): TlsAcceptor {
  return createTlsAcceptor({ ...options, alpn: ["h2"] }, (socket, peer) => {
    const name = `${prefix}${++count}`;
    // Comes back as call.getPeer(), which would add a port if there were one.
    Object.defineProperty(socket, "remoteAddress", { value: name });
    Object.defineProperty(socket, "remotePort", { value: undefined });
    peers.set(name, peer);
    // One injector a connection, so that each can be drained alone.
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    socket.once("close", () => {
      peers.delete(name);
      injector.destroy();
    });
    injector.injectConnection(socket);
    return {
      retire: () => {
        injector.drain(DRAIN_MS);
      },
    };
  });
}

/**
 * Who is calling: the verified peer of the connection that a call came by.
 *
 * @param call  Of any kind, inside its handler.
 * @throws PEER_ANONYMOUS  the connection did not come from {@link createGrpcAcceptor}, or is closed
 */
export function grpcPeer(call: { getPeer(): string }): VerifiedPeer {
  const peer = peers.get(call.getPeer());
  if (peer !== undefined) return peer;
  throw new BonafideError(
    SPIFFE_ERRORS,
    "PEER_ANONYMOUS",
    "the call came by a connection that nobody verified",
  );
}
