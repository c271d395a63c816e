import {
  AuthorityStanding as Standing,
  AuthorityUse as Use,
  type ListedAuthority,
} from "@bonafide/proto/bonafide/admin/v1/authorities_pb";

/** An authority as `--json` shows it. Instants are Unix seconds. */
export interface AuthorityJson {
  readonly id: string;
  readonly use: "x509" | "jwt";
  readonly state: "prepared" | "active" | "old" | "tainted" | "revoked" | "expired" | "unknown";
  /** Id of the server that holds the key, SPIFFE ID of a server below, or `upstream`. */
  readonly server: string;
  /** Whether that is the server that answered. */
  readonly isOwn: boolean;
  readonly preparedAt: number;
  /** 0: not yet. */
  readonly activatedAt: number;
  /** 0: never. */
  readonly expiresAt: number;
  /** Empty: it is its own root. */
  readonly upstreamAuthorityId: string;
}

const STATES: ReadonlyMap<Standing, AuthorityJson["state"]> = new Map([
  [Standing.PREPARED, "prepared"],
  [Standing.ACTIVE, "active"],
  [Standing.OLD, "old"],
  [Standing.TAINTED, "tainted"],
  [Standing.REVOKED, "revoked"],
  [Standing.EXPIRED, "expired"],
]);

/** An authority for machines. */
export function authorityJson(listed: ListedAuthority): AuthorityJson {
  const { id, server, isOwn, upstreamAuthorityId } = listed;
  return {
    id,
    use: listed.use === Use.JWT ? "jwt" : "x509",
    state: STATES.get(listed.standing) ?? "unknown",
    server,
    isOwn,
    preparedAt: seconds(listed.preparedAtMs),
    activatedAt: seconds(listed.activatedAtMs),
    expiresAt: seconds(listed.notAfterMs),
    upstreamAuthorityId,
  };
}

function seconds(ms: bigint): number {
  return Math.floor(Number(ms) / 1000);
}
