import { type Certificate, digestChain, parseCertificates, parsePem } from "@bonafide/pki";
import type { TrustDomain } from "../id/trust-domain.ts";
import { BUNDLE_BYTES_MAX, BUNDLE_KEYS_MAX } from "../limits.ts";
import { bundleMalformed } from "./bundle-malformed.ts";

/**
 * The authorities that may sign X509-SVIDs of one trust domain, and of no other.
 *
 * @spec Trust Domain and Bundle §3
 */
export interface X509Bundle {
  readonly trustDomain: TrustDomain;
  /** Each once; none means that no X509-SVID of this domain is valid (BND-14). */
  readonly authorities: readonly Certificate[];
  /** Names the content: equal for equal trust domain and authorities in equal order. Verdicts are cached under it. */
  readonly revision: string;
}

/**
 * Makes a bundle; an authority that occurs twice is kept once.
 *
 * @throws BUNDLE_MALFORMED  more than 1024 authorities
 */
export function x509BundleOf(
  trustDomain: TrustDomain,
  authorities: readonly Certificate[],
): X509Bundle {
  if (authorities.length > BUNDLE_KEYS_MAX) throw bundleMalformed("a bundle", "too-many-keys");
  const distinct = new Map(
    authorities.map((authority) => [digestChain([authority.der]), authority]),
  );
  const kept = [...distinct.values()];
  const name = new TextEncoder().encode(trustDomain);
  const digest = digestChain([name, ...kept.map((authority) => authority.der)]);
  const revision = Buffer.from(digest, "latin1").toString("hex");
  return { trustDomain, authorities: kept, revision };
}

/**
 * Reads the Workload API's form: CA certificates in DER, one after the other.
 *
 * @param der  May be empty, which is a bundle without authorities.
 * @throws BUNDLE_MALFORMED
 * @spec Workload API §5.1
 */
export function parseX509BundleDer(trustDomain: TrustDomain, der: Uint8Array): X509Bundle {
  if (der.length > BUNDLE_BYTES_MAX) throw bundleMalformed("a bundle", "too-long");
  let authorities: readonly Certificate[];
  try {
    authorities = parseCertificates(der);
  } catch (cause) {
    throw bundleMalformed("a bundle", "certificate", cause);
  }
  return x509BundleOf(trustDomain, authorities);
}

/**
 * Reads a PEM file of CA certificates, such as `ca.crt`.
 *
 * @throws BUNDLE_MALFORMED  not PEM, another kind of block, or no certificate at all
 */
export function parseX509BundlePem(trustDomain: TrustDomain, text: string): X509Bundle {
  const authorities: Certificate[] = [];
  try {
    for (const block of parsePem(text)) {
      if (block.label !== "CERTIFICATE") throw bundleMalformed("a bundle", "pem-label");
      authorities.push(...parseCertificates(block.der));
    }
  } catch (cause) {
    throw bundleMalformed("a bundle", "certificate", cause);
  }
  if (authorities.length === 0) throw bundleMalformed("a bundle", "empty");
  return x509BundleOf(trustDomain, authorities);
}

/** Writes the Workload API's form: authorities in DER, one after the other. */
export function formatX509BundleDer(bundle: X509Bundle): Uint8Array {
  return concatenateDer(bundle.authorities);
}

/** The DER of certificates, one after the other, as the Workload API carries chains and bundles. */
export function concatenateDer(certificates: readonly { readonly der: Uint8Array }[]): Uint8Array {
  const out = new Uint8Array(certificates.reduce((sum, { der }) => sum + der.length, 0));
  let at = 0;
  for (const { der } of certificates) {
    out.set(der, at);
    at += der.length;
  }
  return out;
}
