import {
  type FederationRelationship,
  FederationRelationshipSchema,
} from "@bonafide/proto/spire/api/types/federationrelationship_pb";
import { create } from "@bufbuild/protobuf";
import { type FlagValues } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { bundleFormat, readBundleFile } from "./bundle-file.ts";

/** Flags that say whose bundle is fetched, from where, and how that place proves itself. */
export const RELATIONSHIP_FLAGS = {
  "trust-domain": {
    kind: "string",
    required: true,
    help: "whose bundle it is",
    placeholder: "NAME",
    spire: "trustDomain",
  },
  url: {
    kind: "string",
    required: true,
    help: "where its bundle is fetched, https",
    placeholder: "URL",
    spire: "bundleEndpointURL",
  },
  profile: {
    kind: "string",
    required: true,
    help: "https_web or https_spiffe",
    spire: "bundleEndpointProfile",
  },
  "endpoint-spiffe-id": {
    kind: "string",
    help: "whom the endpoint has to be, with https_spiffe",
    placeholder: "ID",
    spire: "endpointSpiffeID",
  },
  bundle: {
    kind: "string",
    help: "file with its first bundle, - for standard input; https_spiffe needs one",
    placeholder: "FILE",
    spire: "trustDomainBundlePath",
  },
  format: {
    kind: "string",
    help: "of that file: pem or spiffe",
    spire: "trustDomainBundleFormat",
    standard: "pem",
  },
} as const;

/** The relationship that the flags ask for. @throws USAGE, FILE_UNREADABLE, BUNDLE_MALFORMED */
export function relationshipOf(
  flags: FlagValues<typeof RELATIONSHIP_FLAGS>,
): FederationRelationship {
  const { "trust-domain": trustDomain, "endpoint-spiffe-id": endpointSpiffeId } = flags;
  const format = bundleFormat(flags.format, "--format");
  return create(FederationRelationshipSchema, {
    trustDomain,
    bundleEndpointUrl: flags.url,
    bundleEndpointProfile: profileOf(flags.profile, endpointSpiffeId),
    ...(flags.bundle === undefined
      ? {}
      : { trustDomainBundle: readBundleFile(flags.bundle, format, trustDomain) }),
  });
}

/** A relationship for people. */
export function relationshipText(relationship: FederationRelationship): string {
  const { trustDomain, url, profile, endpointSpiffeId, bundle } = relationshipJson(relationship);
  return [
    `trust domain        ${trustDomain}`,
    `bundle endpoint     ${url}`,
    `profile             ${profile}`,
    ...(endpointSpiffeId === "" ? [] : [`endpoint SPIFFE ID  ${endpointSpiffeId}`]),
    `bundle              ${bundle === null ? "not here yet" : `sequence ${bundle.sequence}, ${bundle.x509Authorities} X.509 and ${bundle.jwtAuthorities} JWT authorities`}`,
  ].join("\n");
}

/** A relationship for machines. */
export function relationshipJson(relationship: FederationRelationship): RelationshipJson {
  const { trustDomain, bundleEndpointUrl, bundleEndpointProfile, trustDomainBundle } = relationship;
  const { case: profile, value } = bundleEndpointProfile;
  return {
    trustDomain,
    url: bundleEndpointUrl,
    profile: profile === "httpsSpiffe" ? "https_spiffe" : "https_web",
    endpointSpiffeId: profile === "httpsSpiffe" ? value.endpointSpiffeId : "",
    bundle:
      trustDomainBundle === undefined
        ? null
        : {
            sequence: String(trustDomainBundle.sequenceNumber),
            refreshHintSeconds: Number(trustDomainBundle.refreshHint),
            x509Authorities: trustDomainBundle.x509Authorities.length,
            jwtAuthorities: trustDomainBundle.jwtAuthorities.length,
          },
  };
}

/** What {@link relationshipJson} gives. */
export interface RelationshipJson {
  readonly trustDomain: string;
  readonly url: string;
  readonly profile: "https_web" | "https_spiffe";
  /** Empty with `https_web`. */
  readonly endpointSpiffeId: string;
  /** null: none is here yet. */
  readonly bundle: {
    readonly sequence: string;
    readonly refreshHintSeconds: number;
    readonly x509Authorities: number;
    readonly jwtAuthorities: number;
  } | null;
}

function profileOf(
  profile: string,
  endpointSpiffeId: string | undefined,
): FederationRelationship["bundleEndpointProfile"] {
  const wire = create(FederationRelationshipSchema, {
    bundleEndpointProfile:
      profile === "https_spiffe"
        ? { case: "httpsSpiffe", value: { endpointSpiffeId: endpointSpiffeId ?? "" } }
        : { case: "httpsWeb", value: {} },
  });
  if (profile === "https_spiffe" && endpointSpiffeId === undefined) {
    throw usage("--profile https_spiffe needs --endpoint-spiffe-id");
  }
  if (profile === "https_web" && endpointSpiffeId !== undefined) {
    throw usage("--endpoint-spiffe-id is for --profile https_spiffe");
  }
  if (profile !== "https_web" && profile !== "https_spiffe") {
    throw usage("--profile is https_web or https_spiffe");
  }
  return wire.bundleEndpointProfile;
}
