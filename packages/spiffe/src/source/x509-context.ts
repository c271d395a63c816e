import type { X509BundleSet } from "../bundle/x509-bundle-set.ts";
import type { X509Svid } from "../svid/x509-svid.ts";

/** Everything a process needs to prove itself and to verify others, at one moment. Immutable, replaced whole. */
export interface X509Context {
  /** The SVID to present: the first, or the one of the wanted hint; undefined when there is none (any more). */
  readonly svid: X509Svid | undefined;
  /** All SVIDs in the issuer's order. */
  readonly svids: readonly X509Svid[];
  /** One bundle per trust domain. */
  readonly bundles: X509BundleSet;
}

/**
 * Where TLS takes identity and bundles from.
 *
 * Contract: `context` is cheap, never waits and gives the newest state; `updates` yields that state first and then each
 * newest one, and may skip states that were replaced before anybody asked.
 */
export interface X509ContextSource {
  /** @throws SOURCE_CLOSED  after the source was closed */
  context(): X509Context;
  /** Ends when the source is closed, and without an error when `signal` aborts. */
  updates(options?: { readonly signal?: AbortSignal }): AsyncIterable<X509Context>;
}

/** A context of one SVID and the given bundles. */
export function x509ContextOf(svid: X509Svid | undefined, bundles: X509BundleSet): X509Context {
  return { svid, svids: svid === undefined ? [] : [svid], bundles };
}
