import type { KeyObject } from "node:crypto";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { EpochMs } from "@bonafide/lifetime";
import { type Certificate, parseCertificate } from "@bonafide/pki";
import type { X509SVID } from "@bonafide/proto/spire/api/types/x509svid_pb";
import { isMemberOf, pathOf, verifyX509Svid, type X509Svid, x509SvidOf } from "@bonafide/spiffe";
import type { TrustBundle } from "../core/bundle.ts";
import { SKEW_REFUSE_MS } from "../core/clock-skew.ts";
import { AGENT_ERRORS } from "../errors.ts";

/** The path under which every agent's ID lies. */
const AGENT_PATH = "/spire/agent/";

/**
 * Takes the SVID that a server gave to this agent, proven: over our key, for an agent of our trust domain, and chained
 * to the bundle.
 *
 * @throws SERVER_ANSWER_INVALID
 * @throws CLOCK_SKEWED  our clock is more than five minutes off the one it was made by
 */
export function parseAgentSvid(
  svid: X509SVID | undefined,
  proof: {
    readonly privateKey: KeyObject;
    readonly bundle: TrustBundle;
    readonly now: EpochMs;
  },
): X509Svid {
  const { privateKey, bundle, now } = proof;
  if (svid === undefined) throw invalid("an answer without an SVID");
  try {
    const chain: readonly Certificate[] = svid.certChain.map((der) => parseCertificate(der));
    const bundles = new Map([[bundle.trustDomain, bundle.x509]]);
    assertClock(chain, now);
    verifyX509Svid(svid.certChain, bundles, { now: instantFor(chain, now) });
    const parsed = x509SvidOf({ chain, privateKey });
    if (!isMemberOf(parsed.id, bundle.trustDomain) || !pathOf(parsed.id).startsWith(AGENT_PATH)) {
      throw new TypeError(`${parsed.id} is no agent's ID`);
    }
    return parsed;
  } catch (cause) {
    if (isBonafideError(cause, "CLOCK_SKEWED")) throw cause;
    throw invalid("an SVID that is not this agent's", cause);
  }
}

/** @throws CLOCK_SKEWED  `details.serverTime` is about what the server's clock says, epoch ms */
function assertClock([leaf]: readonly Certificate[], now: EpochMs): void {
  if (leaf === undefined) return;
  const isAhead = now - leaf.notAfter > SKEW_REFUSE_MS;
  if (!isAhead && leaf.notBefore - now <= SKEW_REFUSE_MS) return;
  const serverTime = isAhead ? leaf.notAfter : leaf.notBefore;
  throw new BonafideError(
    AGENT_ERRORS,
    "CLOCK_SKEWED",
    `this node's clock is about ${Math.round((now - serverTime) / 1000)} s off the server's`,
    { details: { serverTime: String(serverTime) } },
  );
}

/**
 * The instant to judge a fresh SVID at. It was made a moment ago by the server's clock, so where ours differs by no more
 * than is tolerated (ADR-0071), the server's counts: a node whose clock is a minute slow is to join all the same.
 */
function instantFor(chain: readonly Certificate[], now: EpochMs): EpochMs {
  const [leaf] = chain;
  if (leaf === undefined) return now;
  const nearest = Math.min(Math.max(now, leaf.notBefore), leaf.notAfter);
  return Math.abs(nearest - now) <= SKEW_REFUSE_MS ? nearest : now;
}

function invalid(what: string, cause?: unknown): BonafideError {
  return new BonafideError(AGENT_ERRORS, "SERVER_ANSWER_INVALID", `the server sent ${what}`, {
    cause,
  });
}
