import { isBonafideError } from "@bonafide/errors";
import type { Clock, EpochMs } from "@bonafide/lifetime";
import { type Certificate, describeName } from "@bonafide/pki";
import type { Debug } from "@bonafide/proto/spire/api/agent/debug/v1/debug_pb";
import type { Handlers } from "@bonafide/rpc";
import { isSpiffeId, pathOf, trustDomainOf, verifyX509Svid } from "@bonafide/spiffe";
import type { UnixConnection } from "@bonafide/unix-peer";
import type { NodeIdentity } from "../node/node-identity.ts";
import type { Synchroniser } from "../node/synchroniser.ts";
import type { Picture } from "../picture/picture.ts";
import type { JwtSvidCache } from "../svid/jwt-svid-cache.ts";
import type { SvidKeeper } from "../svid/svid-keeper.ts";

/** What the Debug service is served from. */
export interface DebugDeps {
  readonly clock: Clock;
  readonly picture: Picture;
  readonly identity: NodeIdentity;
  readonly synchroniser: Synchroniser;
  readonly keeper: SvidKeeper;
  readonly jwtSvids: JwtSvidCache;
  /** The server's time. */
  readonly serverNow: () => EpochMs;
}

/** Longest time that the wire's 32 bits of seconds hold. */
const SECONDS_MAX = 2 ** 31 - 1;

/** spire.agent.debug.v1.Debug: what the running agent is and holds, for whoever looks after it. */
export function agentDebugHandlers(deps: DebugDeps): Handlers<typeof Debug, UnixConnection> {
  const { clock, synchroniser, keeper, jwtSvids } = deps;
  const startedMs = clock.monotonicMs();
  return {
    getInfo() {
      const seconds = Math.floor((clock.monotonicMs() - startedMs) / 1000);
      return {
        svidChain: ownChain(deps).map((certificate) => ({
          ...idOf(certificate),
          expiresAt: BigInt(Math.floor(certificate.notAfter / 1000)),
          subject: describeName(certificate.subject),
        })),
        uptime: Math.min(seconds, SECONDS_MAX),
        svidsCount: keeper.size,
        lastSyncSuccess: BigInt(Math.floor((synchroniser.lastSyncAt ?? 0) / 1000)),
        cachedX509SvidsCount: keeper.size,
        cachedJwtSvidsCount: jwtSvids.size,
      };
    },
  };
}

/** Leaf to root as the server proves it now; without a proof what is presented, so that it can be looked at. */
function ownChain({ identity, picture, serverNow }: DebugDeps): readonly Certificate[] {
  const chain = identity.svid?.chain ?? [];
  try {
    const ders = chain.map(({ der }) => der);
    return verifyX509Svid(ders, picture.ownBundles, { now: serverNow() }).path;
  } catch (error) {
    if (isBonafideError(error)) return chain;
    throw error;
  }
}

/** An authority's URI is a trust domain without a path; one without a URI, or with another one, has no ID. */
function idOf({ uris }: Certificate): { id?: { trustDomain: string; path: string } } {
  const [uri = ""] = uris;
  return isSpiffeId(uri) ? { id: { trustDomain: trustDomainOf(uri), path: pathOf(uri) } } : {};
}
