import { X509BundlesResponseSchema, X509SVIDResponseSchema } from "@bonafide/proto/workload_pb";
import { encode, type Encoded } from "@bonafide/rpc";
import { formatX509BundleDer, type X509Bundle } from "@bonafide/spiffe";
import type { ReadyView } from "../identity/identity-groups.ts";

const svids = new WeakMap<ReadyView, Encoded<typeof X509SVIDResponseSchema>>();
const bundles = new WeakMap<ReadyView, Encoded<typeof X509BundlesResponseSchema>>();
const ders = new WeakMap<X509Bundle, Uint8Array>();

/** The answer of FetchX509SVID, encoded once for all streams of a group. */
export function x509SvidResponse(view: ReadyView): Encoded<typeof X509SVIDResponseSchema> {
  const known = svids.get(view);
  if (known !== undefined) return known;
  const bundle = bundleDer(view.bundle);
  const made = encode(X509SVIDResponseSchema, {
    svids: view.identities.map(({ entry, svid }) => ({
      spiffeId: svid.spiffeId,
      x509Svid: svid.chainDer,
      x509SvidKey: svid.keyDer,
      bundle,
      hint: entry.hint,
    })),
    federatedBundles: federated(view),
  });
  svids.set(view, made);
  return made;
}

/** The answer of FetchX509Bundles, encoded once for all streams of a group. */
export function x509BundlesResponse(view: ReadyView): Encoded<typeof X509BundlesResponseSchema> {
  const known = bundles.get(view);
  if (known !== undefined) return known;
  const made = encode(X509BundlesResponseSchema, {
    bundles: {
      [`spiffe://${view.bundle.trustDomain}`]: bundleDer(view.bundle),
      ...federated(view),
    },
  });
  bundles.set(view, made);
  return made;
}

function federated(view: ReadyView): Record<string, Uint8Array> {
  return Object.fromEntries(
    [...view.federated].map(([name, bundle]) => [`spiffe://${name}`, bundleDer(bundle)]),
  );
}

function bundleDer(bundle: X509Bundle): Uint8Array {
  const known = ders.get(bundle);
  if (known !== undefined) return known;
  const made = formatX509BundleDer(bundle);
  ders.set(bundle, made);
  return made;
}
