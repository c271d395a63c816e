import { BonafideError } from "@bonafide/errors";
import type { BundleObject, FederationObject } from "@bonafide/ledger";
import { parseSpiffeId, trustDomainOf } from "@bonafide/spiffe";
import { SERVER_ERRORS } from "../errors.ts";
import type { Change, Decide, RegistryView } from "../lane/registry-view.ts";
import { isSameBundle, proposeBundle } from "./propose-bundle.ts";

/** A relationship to be kept, and the first bundle if one was given. */
export interface WantedRelationship {
  readonly relationship: FederationObject;
  readonly bundle: BundleObject | undefined;
}

/**
 * Begins to fetch a trust domain's bundle.
 *
 * @param own  Our own trust domain.
 * @returns A decision that throws FEDERATION_EXISTS or FEDERATION_BUNDLE_MISSING.
 */
export function proposeRelationship(wanted: WantedRelationship, own: string): Decide {
  return (view) => {
    const { trustDomain } = wanted.relationship;
    if (view.find("federation", trustDomain) !== undefined) {
      throw new BonafideError(
        SERVER_ERRORS,
        "FEDERATION_EXISTS",
        `there is a relationship with ${trustDomain} already`,
      );
    }
    return changes(view, wanted, own);
  };
}

/**
 * Changes how a trust domain's bundle is fetched.
 *
 * @param change  From the stored relationship to the wanted one; may throw.
 * @param own     Our own trust domain.
 * @returns A decision that throws FEDERATION_NOT_FOUND or FEDERATION_BUNDLE_MISSING.
 */
export function proposeRelationshipChange(
  trustDomain: string,
  change: (stored: FederationObject) => WantedRelationship,
  own: string,
): Decide {
  return (view) => changes(view, change(relationshipIn(view, trustDomain)), own);
}

/**
 * No longer fetches a trust domain's bundle. The bundle stays until it is deleted itself.
 *
 * @returns A decision that throws FEDERATION_NOT_FOUND.
 */
export function proposeRelationshipRemoval(trustDomain: string): Decide {
  return (view) => {
    relationshipIn(view, trustDomain);
    return [{ remove: { kind: "federation", naturalKey: trustDomain } }];
  };
}

/**
 * Keeps a bundle that was fetched, if it is still wanted from there and is not older than the one that was fetched
 * before it. A bundle that an operator set is replaced whatever its sequence is.
 *
 * @param relationship  By which it was fetched.
 * @returns A decision that throws FEDERATION_NOT_FOUND or BUNDLE_SEQUENCE_FELL.
 * @spec Federation §4.2
 */
export function proposeFetchedBundle(relationship: FederationObject, bundle: BundleObject): Decide {
  return (view) => {
    const wanted = relationshipIn(view, relationship.trustDomain);
    if (!isSameRelationship(wanted, relationship)) throw noRelationship(relationship.trustDomain);
    const stored = view.find("bundle", bundle.trustDomain)?.object;
    if (stored?.source !== bundle.source) return [{ put: bundle }];
    // Without a sequence the newest answer counts.
    if (bundle.sequenceNumber !== 0n && bundle.sequenceNumber < stored.sequenceNumber) {
      throw new BonafideError(
        SERVER_ERRORS,
        "BUNDLE_SEQUENCE_FELL",
        `the bundle of ${bundle.trustDomain} is older than the one before it`,
        {
          details: {
            held: String(stored.sequenceNumber),
            fetched: String(bundle.sequenceNumber),
          },
        },
      );
    }
    return isSameBundle(stored, bundle) ? [] : [{ put: bundle }];
  };
}

/** Whether two relationships say the same. */
export function isSameRelationship(a: FederationObject, b: FederationObject): boolean {
  return (
    a.trustDomain === b.trustDomain &&
    a.bundleEndpointUrl === b.bundleEndpointUrl &&
    a.profile === b.profile &&
    a.endpointSpiffeId === b.endpointSpiffeId
  );
}

function changes(
  view: RegistryView,
  { relationship, bundle }: WantedRelationship,
  own: string,
): readonly Change[] {
  assertProvable(view, relationship, bundle, own);
  const stored = view.find("federation", relationship.trustDomain)?.object;
  const isSame = stored !== undefined && isSameRelationship(stored, relationship);
  return [
    ...(isSame ? [] : [{ put: relationship }]),
    ...(bundle === undefined ? [] : proposeBundle(bundle)(view)),
  ];
}

/** An endpoint with an X509-SVID is proven by a bundle; without one nothing could ever be fetched (FED-28, FED-30). */
function assertProvable(
  view: RegistryView,
  relationship: FederationObject,
  bundle: BundleObject | undefined,
  own: string,
): void {
  if (relationship.profile !== "https_spiffe") return;
  const prover = trustDomainOf(parseSpiffeId(relationship.endpointSpiffeId));
  if (prover === own || prover === bundle?.trustDomain) return;
  if (view.find("bundle", prover) !== undefined) return;
  throw new BonafideError(
    SERVER_ERRORS,
    "FEDERATION_BUNDLE_MISSING",
    `the endpoint proves itself by a bundle of ${prover}, which is not here: give it with the relationship, or set it before`,
  );
}

function relationshipIn(view: RegistryView, trustDomain: string): FederationObject {
  const stored = view.find("federation", trustDomain)?.object;
  if (stored === undefined) throw noRelationship(trustDomain);
  return stored;
}

function noRelationship(trustDomain: string): BonafideError {
  return new BonafideError(
    SERVER_ERRORS,
    "FEDERATION_NOT_FOUND",
    `there is no such relationship with ${trustDomain}`,
  );
}
