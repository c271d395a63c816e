import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { EpochMs } from "@bonafide/lifetime";
import {
  type Certificate,
  digestChain,
  parseCertificate,
  VerdictCache,
  type VerifiedPath,
  verifyPath,
} from "@bonafide/pki";
import type { X509BundleSet } from "../bundle/x509-bundle-set.ts";
import { SPIFFE_ERRORS } from "../errors.ts";
import { type SpiffeId, trustDomainOf } from "../id/spiffe-id.ts";
import { isTrustDomain, type TrustDomain } from "../id/trust-domain.ts";
import { CHAIN_CERTIFICATES_MAX, VERDICTS_MAX } from "../limits.ts";
import { leafId } from "../svid/leaf.ts";

/** What was proven about an X509-SVID: that its trust domain issued it. Not that anybody holds its key. */
export interface VerifiedX509Svid {
  readonly id: SpiffeId;
  readonly trustDomain: TrustDomain;
  /** Leaf to authority. */
  readonly path: readonly Certificate[];
  readonly notBefore: EpochMs;
  /** When the first certificate of the path ends. */
  readonly notAfter: EpochMs;
  /** The bundle's revision that it was judged by. */
  readonly bundleRevision: string;
}

/** Options of {@link verifyX509Svid}. */
export interface VerifyX509SvidOptions {
  /** Instant to judge validity at. */
  readonly now: EpochMs;
  /** Remembers proven chains; without one each call does the whole work. */
  readonly cache?: X509SvidCache;
}

/** Remembers proven chains, for one or for several sets of bundles. Bounded; only successes are kept. */
export type X509SvidCache = VerdictCache<VerifiedX509Svid>;

/** A cache for {@link verifyX509Svid} of 4096 chains. */
export function createX509SvidCache(): X509SvidCache {
  return new VerdictCache({ entriesMax: VERDICTS_MAX });
}

/**
 * Verifies an X509-SVID against the bundle of the leaf's own trust domain, and no other.
 *
 * @param chain    DER certificates, leaf first, others in any order, at most 10.
 * @param bundles  Asked for exactly one trust domain.
 * @throws X509_SVID_INVALID    no certificate, too many, not parseable, or the leaf breaks the profile
 * @throws BUNDLE_NOT_FOUND     no bundle, or an empty one, for the leaf's trust domain
 * @throws X509_SVID_UNTRUSTED  no valid path to an authority; `details.reason` is the code of `@bonafide/pki`
 * @spec X509-SVID §5
 */
export function verifyX509Svid(
  chain: readonly Uint8Array[],
  bundles: X509BundleSet,
  options: VerifyX509SvidOptions,
): VerifiedX509Svid {
  if (chain.length === 0) throw invalid("empty");
  if (chain.length > CHAIN_CERTIFICATES_MAX) throw invalid("too-long");
  const { now, cache } = options;
  if (cache === undefined) return verifyAnew(chain, bundles, now);
  const digest = digestChain(chain);
  const revisionOf = (scope: string): string | undefined =>
    isTrustDomain(scope) ? bundles.get(scope)?.revision : undefined;
  const known = cache.find(digest, { now, revisionOf });
  if (known !== undefined) return known.value;
  const value = verifyAnew(chain, bundles, now);
  cache.remember(digest, {
    verified: value,
    value,
    scope: value.trustDomain,
    revision: value.bundleRevision,
  });
  return value;
}

function verifyAnew(
  chain: readonly Uint8Array[],
  bundles: X509BundleSet,
  now: EpochMs,
): VerifiedX509Svid {
  let certificates: readonly Certificate[];
  try {
    certificates = chain.map((der) => parseCertificate(der));
  } catch (cause) {
    throw invalid("malformed", cause);
  }
  const [leaf] = certificates;
  if (leaf === undefined) throw invalid("empty");
  const id = leafId(leaf);
  const trustDomain = trustDomainOf(id);
  const bundle = bundles.get(trustDomain);
  if (bundle === undefined || bundle.authorities.length === 0) {
    throw new BonafideError(
      SPIFFE_ERRORS,
      "BUNDLE_NOT_FOUND",
      `no authorities are known for trust domain ${trustDomain}`,
      { details: { trustDomain } },
    );
  }
  let verified: VerifiedPath;
  try {
    verified = verifyPath(certificates, bundle.authorities, { now, uriName: trustDomain });
  } catch (cause) {
    const reason = isBonafideError(cause) ? cause.code : "PATH_UNKNOWN_AUTHORITY";
    throw new BonafideError(
      SPIFFE_ERRORS,
      "X509_SVID_UNTRUSTED",
      `${id} is not proven by an authority of trust domain ${trustDomain}: ${reason}`,
      { details: { id, trustDomain, reason }, cause },
    );
  }
  return { ...verified, id, trustDomain, bundleRevision: bundle.revision };
}

function invalid(reason: string, cause?: unknown): BonafideError {
  return new BonafideError(SPIFFE_ERRORS, "X509_SVID_INVALID", `not an X509-SVID: ${reason}`, {
    details: { reason },
    cause,
  });
}
