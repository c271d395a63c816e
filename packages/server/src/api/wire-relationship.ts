import { BonafideError } from "@bonafide/errors";
import type { FederationObject } from "@bonafide/ledger";
import {
  type FederationRelationship,
  type FederationRelationshipMask,
  FederationRelationshipMaskSchema,
  FederationRelationshipSchema,
} from "@bonafide/proto/spire/api/types/federationrelationship_pb";
import { parseSpiffeId, pathOf, type TrustDomain } from "@bonafide/spiffe";
import { create } from "@bufbuild/protobuf";
import type { ForeignBundle } from "../authority/bundle-cache.ts";
import { checkEndpointUrl } from "../core/endpoint-url.ts";
import type { WantedRelationship } from "../core/propose-federation.ts";
import { SERVER_ERRORS } from "../errors.ts";
import { bundleObjectOf } from "../federation/foreign-bundle.ts";
import { readForeignName, readWireBundle } from "./wire-bundle.ts";
import { toWireForeignBundle } from "./wire-svid.ts";

/** A mask that lets everything through; what an absent mask means. */
export const WHOLE_RELATIONSHIP: FederationRelationshipMask = create(
  FederationRelationshipMaskSchema,
  { bundleEndpointUrl: true, bundleEndpointProfile: true, trustDomainBundle: true },
);

type Profile = Pick<FederationObject, "profile" | "endpointSpiffeId">;

/**
 * A relationship as a caller gives it, with the parts that the mask leaves out taken from the stored one.
 *
 * @throws REQUEST_INVALID     its trust domain
 * @throws FEDERATION_INVALID  URL, profile or endpoint ID; nothing of these is ever guessed
 * @throws BUNDLE_INVALID
 */
export function readRelationship(
  wire: FederationRelationship,
  own: TrustDomain,
  stored?: FederationObject,
  mask: FederationRelationshipMask = WHOLE_RELATIONSHIP,
): WantedRelationship {
  const trustDomain = readForeignName(wire.trustDomain, own);
  const { profile, endpointSpiffeId } =
    stored === undefined || mask.bundleEndpointProfile ? readProfile(wire) : stored;
  const relationship: FederationObject = {
    kind: "federation",
    trustDomain,
    bundleEndpointUrl:
      stored === undefined || mask.bundleEndpointUrl
        ? checkEndpointUrl(wire.bundleEndpointUrl)
        : stored.bundleEndpointUrl,
    profile,
    endpointSpiffeId,
  };
  const given = mask.trustDomainBundle ? wire.trustDomainBundle : undefined;
  if (given === undefined) return { relationship, bundle: undefined };
  const bundle = readWireBundle(given, own);
  if (bundle.trustDomain !== trustDomain) throw invalid("the bundle is of another trust domain");
  return { relationship, bundle: bundleObjectOf(bundle, "") };
}

/** A relationship as the wire has it; the trust domain always goes out. */
export function toWireRelationship(
  object: FederationObject,
  bundle: ForeignBundle | undefined,
  mask: FederationRelationshipMask = WHOLE_RELATIONSHIP,
): FederationRelationship {
  return create(FederationRelationshipSchema, {
    trustDomain: object.trustDomain,
    ...(mask.bundleEndpointUrl ? { bundleEndpointUrl: object.bundleEndpointUrl } : {}),
    ...(mask.bundleEndpointProfile ? { bundleEndpointProfile: wireProfile(object) } : {}),
    ...(mask.trustDomainBundle && bundle !== undefined
      ? { trustDomainBundle: toWireForeignBundle(bundle) }
      : {}),
  });
}

function readProfile({ bundleEndpointProfile: given }: FederationRelationship): Profile {
  switch (given.case) {
    case "httpsWeb":
      return { profile: "https_web", endpointSpiffeId: "" };
    case "httpsSpiffe": {
      const { endpointSpiffeId } = given.value;
      try {
        if (pathOf(parseSpiffeId(endpointSpiffeId)) !== "") {
          return { profile: "https_spiffe", endpointSpiffeId };
        }
      } catch (cause) {
        throw invalid("the endpoint's SPIFFE ID is not one", cause);
      }
      throw invalid("the endpoint's SPIFFE ID has no path");
    }
    default:
      throw invalid("the profile of the bundle endpoint is missing");
  }
}

function wireProfile({
  profile,
  endpointSpiffeId,
}: Profile): { case: "httpsWeb"; value: object } | { case: "httpsSpiffe"; value: object } {
  return profile === "https_web"
    ? { case: "httpsWeb", value: {} }
    : { case: "httpsSpiffe", value: { endpointSpiffeId } };
}

function invalid(message: string, cause?: unknown): BonafideError {
  return new BonafideError(SERVER_ERRORS, "FEDERATION_INVALID", message, { cause });
}
