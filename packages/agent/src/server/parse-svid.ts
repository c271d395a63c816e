import type { KeyObject } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import type { EpochMs } from "@bonafide/lifetime";
import { type Certificate, parseCertificate } from "@bonafide/pki";
import type { X509SVID } from "@bonafide/proto/spire/api/types/x509svid_pb";
import { isMemberOf, pathOf, verifyX509Svid, type X509Svid, x509SvidOf } from "@bonafide/spiffe";
import type { TrustBundle } from "../core/bundle.ts";
import { AGENT_ERRORS } from "../errors.ts";

/** The path under which every agent's ID lies. */
const AGENT_PATH = "/spire/agent/";

/**
 * Takes the SVID that a server gave to this agent, proven: over our key, for an agent of our trust domain, and chained
 * to the bundle.
 *
 * @throws SERVER_ANSWER_INVALID
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
    verifyX509Svid(svid.certChain, new Map([[bundle.trustDomain, bundle.x509]]), { now });
    const chain: readonly Certificate[] = svid.certChain.map((der) => parseCertificate(der));
    const parsed = x509SvidOf({ chain, privateKey });
    if (!isMemberOf(parsed.id, bundle.trustDomain) || !pathOf(parsed.id).startsWith(AGENT_PATH)) {
      throw new TypeError(`${parsed.id} is no agent's ID`);
    }
    return parsed;
  } catch (cause) {
    throw invalid("an SVID that is not this agent's", cause);
  }
}

function invalid(what: string, cause?: unknown): BonafideError {
  return new BonafideError(AGENT_ERRORS, "SERVER_ANSWER_INVALID", `the server sent ${what}`, {
    cause,
  });
}
