import { isBonafideError } from "@bonafide/errors";
import { type Certificate, describeName } from "@bonafide/pki";
import type { Debug } from "@bonafide/proto/spire/api/server/debug/v1/debug_pb";
import type { Handlers } from "@bonafide/rpc";
import { verifyX509Svid } from "@bonafide/spiffe";
import type { ServerPeer } from "../port/server-peer.ts";
import type { ServiceDeps } from "./services.ts";
import { toWireId } from "./wire-entry.ts";

/** Longest time that the wire's 32 bits of seconds hold. */
const SECONDS_MAX = 2 ** 31 - 1;

/** spire.api.server.debug.v1.Debug: what the running server is and has, for whoever looks after it. */
export function debugHandlers(deps: ServiceDeps): Handlers<typeof Debug, ServerPeer> {
  const { clock, registry, store } = deps;
  const startedMs = clock.monotonicMs();
  return {
    async getInfo() {
      const seconds = Math.floor((clock.monotonicMs() - startedMs) / 1000);
      return {
        svidChain: presentedChain(deps).map((certificate) => ({
          id: toWireId(certificate.uris[0] ?? ""),
          expiresAt: BigInt(Math.floor(certificate.notAfter / 1000)),
          subject: describeName(certificate.subject),
        })),
        uptime: Math.min(seconds, SECONDS_MAX),
        agentsCount: await store.nodes.count({}),
        entriesCount: registry.count("entry"),
        // Ours is counted, too.
        federatedBundlesCount: 1 + registry.count("bundle"),
      };
    },
  };
}

/** Leaf to root as a peer proves it now; without a proof what is presented, so that it can be looked at. */
function presentedChain({ bundles, clock, serverSvid }: ServiceDeps): readonly Certificate[] {
  const chain = serverSvid()?.chain ?? [];
  try {
    const ders = chain.map(({ der }) => der);
    return verifyX509Svid(ders, bundles.all(), { now: clock.now() }).path;
  } catch (error) {
    if (isBonafideError(error)) return chain;
    throw error;
  }
}
