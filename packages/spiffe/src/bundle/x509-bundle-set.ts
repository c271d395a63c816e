import type { TrustDomain } from "../id/trust-domain.ts";
import { BUNDLE_SET_MAX } from "../limits.ts";
import { bundleMalformed } from "./bundle-malformed.ts";
import type { X509Bundle } from "./x509-bundle.ts";

/**
 * One bundle per trust domain, immutable, replaced whole. Nothing here merges authorities of two domains into one list:
 * that list is what lets one domain vouch for another's IDs (ADR-0041).
 */
export type X509BundleSet = ReadonlyMap<TrustDomain, X509Bundle>;

/**
 * Makes a set.
 *
 * @throws BUNDLE_MALFORMED  two bundles of one trust domain, or more than 10,000
 */
export function x509BundleSetOf(bundles: Iterable<X509Bundle>): X509BundleSet {
  const set = new Map<TrustDomain, X509Bundle>();
  for (const bundle of bundles) {
    if (set.has(bundle.trustDomain))
      throw bundleMalformed("a bundle set", "duplicate-trust-domain");
    set.set(bundle.trustDomain, bundle);
    if (set.size > BUNDLE_SET_MAX) throw bundleMalformed("a bundle set", "too-many-bundles");
  }
  return set;
}

/** Two trust domains that share a key, which the standard forbids (Bundle §2): a finding to report, not a failure. */
export interface SharedKey {
  readonly trustDomains: readonly [TrustDomain, TrustDomain];
  /** SubjectPublicKeyInfo, hexadecimal. */
  readonly spkiHex: string;
}

/** Keys that stand in the bundles of two trust domains (BND-01). */
export function sharedKeys(set: X509BundleSet): readonly SharedKey[] {
  const owners = new Map<string, TrustDomain>();
  const shared: SharedKey[] = [];
  for (const { trustDomain, authorities } of set.values()) {
    for (const { spki } of authorities) {
      const spkiHex = Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength).toString("hex");
      const owner = owners.get(spkiHex) ?? trustDomain;
      owners.set(spkiHex, owner);
      if (owner !== trustDomain) shared.push({ trustDomains: [owner, trustDomain], spkiHex });
    }
  }
  return shared;
}
