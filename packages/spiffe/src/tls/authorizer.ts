import { parseTrustDomain } from "../id/parse-trust-domain.ts";
import { isMemberOf, parseSpiffeId, type SpiffeId } from "../id/spiffe-id.ts";
import type { VerifiedX509Svid } from "../verify/verify-x509-svid.ts";

/**
 * Decides whether a verified peer may connect. There is no default: every listener and every connection names one.
 *
 * Runs on each connection, is never cached, and must not wait.
 */
export interface Authorizer {
  /** What is asked for, in words, for error messages. */
  readonly rule: string;
  /** Whether this peer may connect; a throw counts as no. */
  admits(peer: VerifiedX509Svid): boolean;
}

/**
 * Admits one SPIFFE ID.
 *
 * @throws SPIFFE_ID_INVALID
 */
export function exactId(id: string): Authorizer {
  const wanted = parseSpiffeId(id);
  return { rule: `is ${wanted}`, admits: (peer) => peer.id === wanted };
}

/**
 * Admits any of the given SPIFFE IDs; none admits nobody.
 *
 * @throws SPIFFE_ID_INVALID
 */
export function oneOf(ids: readonly string[]): Authorizer {
  const wanted = new Set<SpiffeId>(ids.map((id) => parseSpiffeId(id)));
  return { rule: `is one of ${wanted.size} IDs`, admits: (peer) => wanted.has(peer.id) };
}

/**
 * Admits every member of a trust domain.
 *
 * @param trustDomain  Its name, or any ID in it.
 * @throws TRUST_DOMAIN_INVALID, SPIFFE_ID_INVALID
 */
export function memberOf(trustDomain: string): Authorizer {
  const wanted = parseTrustDomain(trustDomain);
  return { rule: `is a member of ${wanted}`, admits: (peer) => isMemberOf(peer.id, wanted) };
}

/** Admits whom a function admits. */
export function predicate(rule: string, admits: (peer: VerifiedX509Svid) => boolean): Authorizer {
  return { rule, admits };
}
