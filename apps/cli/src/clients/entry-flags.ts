import type { Entry } from "@bonafide/proto/spire/api/types/entry_pb";
import type { FlagValues } from "../arguments/command.ts";

/** What an entry says beside who it is for; `entry create` and `entry update` share it. */
export const ENTRY_DETAIL_FLAGS = {
  ttl: {
    kind: "duration",
    help: "life of its X509-SVIDs",
    spire: "x509SVIDTTL",
    standard: "the server's",
  },
  "jwt-ttl": {
    kind: "duration",
    help: "life of its JWT-SVIDs",
    spire: "jwtSVIDTTL",
    standard: "the server's",
  },
  "dns-name": { kind: "string", repeated: true, help: "DNS name in the SVID", spire: "dns" },
  "federates-with": {
    kind: "string",
    repeated: true,
    help: "trust domain whose bundle it gets",
    placeholder: "TRUST-DOMAIN",
    spire: "federatesWith",
  },
  hint: { kind: "string", help: "tells several identities of one process apart", spire: "hint" },
  admin: { kind: "boolean", help: "may administer the server", spire: "admin" },
  downstream: { kind: "boolean", help: "may be a nested server", spire: "downstream" },
  "store-svid": {
    kind: "boolean",
    help: "its SVIDs go to a store of SPIRE's agents; ours have none",
    spire: "storeSVID",
  },
  "expires-at": {
    kind: "integer",
    help: "Unix seconds after which it is void",
    spire: "entryExpiry",
  },
} as const;

/** The details as the wire has them; what was not given is empty. */
export function entryDetails(
  flags: FlagValues<typeof ENTRY_DETAIL_FLAGS>,
): Omit<
  Entry,
  "$typeName" | "id" | "spiffeId" | "parentId" | "selectors" | "revisionNumber" | "createdAt"
> {
  return {
    x509SvidTtl: seconds(flags.ttl),
    jwtSvidTtl: seconds(flags["jwt-ttl"]),
    dnsNames: [...flags["dns-name"]],
    federatesWith: [...flags["federates-with"]],
    hint: flags.hint ?? "",
    admin: flags.admin,
    downstream: flags.downstream,
    storeSvid: flags["store-svid"],
    expiresAt: BigInt(flags["expires-at"] ?? 0),
  };
}

/** Whole seconds on the wire; a part of one counts as one. */
function seconds(ms: number | undefined): number {
  return ms === undefined ? 0 : Math.ceil(ms / 1000);
}
