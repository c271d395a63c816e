import { BonafideError } from "@bonafide/errors";
import type { X509BundlesResponse, X509SVIDResponse } from "@bonafide/proto/workload_pb";
import { type X509BundleSet, x509BundleSetOf } from "../bundle/x509-bundle-set.ts";
import { parseX509BundleDer, type X509Bundle } from "../bundle/x509-bundle.ts";
import { SPIFFE_ERRORS } from "../errors.ts";
import type { TrustDomain } from "../id/trust-domain.ts";
import { SVIDS_MAX } from "../limits.ts";
import type { X509Context } from "../source/x509-context.ts";
import { parseX509Svid, type X509Svid } from "../svid/x509-svid.ts";
import { answerInvalid, readAnswer, readBundleMap } from "./read-answer.ts";

/** Options of {@link readX509Context}. */
export interface ReadX509ContextOptions {
  /** Which SVID to present; default the first, which is the default identity (Workload API §8). */
  readonly hint?: string;
}

/**
 * Reads one message of FetchX509SVID, which is the whole state: what is absent is gone.
 *
 * @throws WORKLOAD_API_RESPONSE_INVALID  a mandatory field is missing, or something in it cannot be read
 * @throws HINT_NOT_FOUND                 no SVID has the wanted hint
 * @spec Workload API §4.4, §4.5, §5.2.1
 */
export function readX509Context(
  response: X509SVIDResponse,
  options: ReadX509ContextOptions = {},
): X509Context {
  const { svids, bundles } = readAnswer(() => readResponse(response));
  const { hint } = options;
  const svid = hint === undefined ? svids[0] : svids.find((one) => one.hint === hint);
  if (svid !== undefined) return { svid, svids, bundles };
  throw new BonafideError(SPIFFE_ERRORS, "HINT_NOT_FOUND", "no SVID has the wanted hint", {
    details: { hint: hint ?? "" },
  });
}

/**
 * Reads one message of FetchX509Bundles.
 *
 * @throws WORKLOAD_API_RESPONSE_INVALID  no bundle, a key that is no trust domain's ID, or a bundle that cannot be read
 * @spec Workload API §5.2.2
 */
export function readX509Bundles(response: X509BundlesResponse): X509BundleSet {
  return readAnswer(() => {
    const bundles = readBundleMap(response.bundles, parseX509BundleDer);
    if (bundles.length === 0) throw answerInvalid("bundles");
    return x509BundleSetOf(bundles);
  });
}

function readResponse(response: X509SVIDResponse): {
  readonly svids: readonly X509Svid[];
  readonly bundles: X509BundleSet;
} {
  if (response.svids.length === 0) throw answerInvalid("svids");
  if (response.svids.length > SVIDS_MAX) throw answerInvalid("too-many-svids");
  const svids: X509Svid[] = [];
  const hints = new Set<string>();
  const own = new Map<TrustDomain, X509Bundle>();
  for (const entry of response.svids) {
    for (const field of ["spiffeId", "x509Svid", "x509SvidKey", "bundle"] as const) {
      if (entry[field].length === 0) throw answerInvalid(field);
    }
    // Of two SVIDs with one hint the first wins (WLA-16).
    if (entry.hint !== "" && hints.has(entry.hint)) continue;
    hints.add(entry.hint);
    const svid = parseX509Svid({
      chainDer: entry.x509Svid,
      keyDer: entry.x509SvidKey,
      id: entry.spiffeId,
      hint: entry.hint,
    });
    const bundle = parseX509BundleDer(svid.trustDomain, entry.bundle);
    const known = own.get(svid.trustDomain);
    if (known !== undefined && known.revision !== bundle.revision)
      throw answerInvalid("two-bundles");
    own.set(svid.trustDomain, bundle);
    svids.push(svid);
  }
  // An own bundle among the federated ones would be a second opinion about our own domain.
  const foreign = readBundleMap(response.federatedBundles, parseX509BundleDer).filter(
    (b) => !own.has(b.trustDomain),
  );
  return { svids, bundles: x509BundleSetOf([...own.values(), ...foreign]) };
}
