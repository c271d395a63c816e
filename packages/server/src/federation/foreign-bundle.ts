import { BonafideError } from "@bonafide/errors";
import type { BundleObject } from "@bonafide/ledger";
import {
  formatSpiffeBundle,
  jwtBundleOf,
  parseSpiffeBundle,
  parseTrustDomainName,
  type SpiffeBundle,
} from "@bonafide/spiffe";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/**
 * Another trust domain's bundle as the ledger keeps it: written anew from what was understood, so that nothing unread
 * is passed on, and within what an agent takes.
 *
 * @param source  URL it was fetched from; empty: set by an operator.
 * @throws BUNDLE_INVALID  too many keys, too long, or two JWT keys of one ID
 */
export function bundleObjectOf(bundle: SpiffeBundle, source: string): BundleObject {
  const { trustDomain, sequence, refreshHintSeconds, x509, jwtAuthorities, witAuthorities } =
    bundle;
  const counts = [x509.authorities.length, jwtAuthorities.length, witAuthorities.length];
  if (Math.max(...counts) > LIMITS.foreignAuthorities) {
    throw invalid(`the bundle has more than ${LIMITS.foreignAuthorities} authorities of one kind`);
  }
  let text: string;
  try {
    jwtBundleOf(trustDomain, [...jwtAuthorities, ...witAuthorities]);
    text = formatSpiffeBundle(bundle);
  } catch (cause) {
    throw invalid(
      "the bundle is not one: two different keys of one ID, or a number too large",
      cause,
    );
  }
  const jwks = new TextEncoder().encode(text);
  if (jwks.length > LIMITS.foreignBundleBytes) throw invalid("the bundle is too long");
  return {
    kind: "bundle",
    trustDomain,
    jwks,
    sequenceNumber: sequence ?? 0n,
    refreshHintSeconds: refreshHintSeconds ?? 0,
    source,
  };
}

/** The bundle that the ledger keeps, read. @throws BUNDLE_MALFORMED, TRUST_DOMAIN_INVALID */
export function readBundleObject({ trustDomain, jwks }: BundleObject): SpiffeBundle {
  return parseSpiffeBundle(parseTrustDomainName(trustDomain), new TextDecoder().decode(jwks));
}

function invalid(message: string, cause?: unknown): BonafideError {
  return new BonafideError(SERVER_ERRORS, "BUNDLE_INVALID", message, { cause });
}
