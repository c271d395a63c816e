import { parseSpiffeId } from "@bonafide/spiffe";
import { type SignedSvid, signSvid } from "../authority/sign-svid.ts";
import { agentDenied } from "./access.ts";
import type { ServiceDeps, ServiceOptions } from "./services.ts";

/**
 * Signs an agent's SVID at the newest adopted state; in the same turn as the node is found to be live.
 *
 * @throws AGENT_NOT_ATTESTED, AGENT_BANNED, AUTHORITY_NOT_READY
 */
export function signAgent(
  deps: ServiceDeps,
  options: ServiceOptions,
  nodeId: string,
  spki: Uint8Array,
): SignedSvid {
  const { registry, authorities, clock } = deps;
  const node = registry.find("node", nodeId)?.object;
  if (node?.state !== "live") {
    throw agentDenied(node?.state === "banned" ? "AGENT_BANNED" : "AGENT_NOT_ATTESTED");
  }
  const { epoch, n } = registry.head;
  const request = {
    id: parseSpiffeId(nodeId),
    spki,
    ttlMs: options.agentSvidTtlMs,
    signedAt: { epoch, n },
  };
  return signSvid(authorities.signing(), request, clock.now());
}
