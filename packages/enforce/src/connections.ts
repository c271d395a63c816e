import { entityOf } from "@bonafide/authz";
import type { TakeConnection, VerifiedPeer } from "@bonafide/spiffe";
import { denialOf, type Enforcer } from "./enforcer.ts";

/**
 * Puts a decision in front of connections: whoever may not `net.connect` to the service is refused before a byte is read.
 * For protocols without routes; what is done on a connection is not decided about.
 *
 * @param take  As for `createTlsAcceptor`, which destroys the socket of a refused one and tells `onRefused`.
 * @example
 *   const acceptor = createTlsAcceptor(options, authorizeConnections(enforcer, (socket, peer) => serve(socket, peer)));
 */
export function authorizeConnections(
  enforcer: Enforcer,
  take: TakeConnection<VerifiedPeer>,
): TakeConnection<VerifiedPeer> {
  const resource = entityOf("Service", enforcer.service);
  return (socket, peer) => {
    const answer = enforcer.authorize({ peer, action: "net.connect", asked: { resource } });
    if (!answer.allowed) throw denialOf(answer);
    return take(socket, peer);
  };
}
