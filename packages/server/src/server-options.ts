import { BonafideError } from "@bonafide/errors";
import type { RateLimit } from "@bonafide/lifetime";
import {
  parseSpiffeId,
  parseTrustDomainName,
  type SpiffeId,
  type TrustDomain,
} from "@bonafide/spiffe";
import { SERVER_ERRORS } from "./errors.ts";
import type { BundleEndpointOptions } from "./federation/own-endpoint.ts";
import { LIMITS } from "./limits.ts";

/** Options of `openServer`. */
export interface ServerOptions {
  /** Name without scheme. */
  readonly trustDomain: string;
  /** Random id of this server, from the folder of its keys; see `loadServerId`. */
  readonly serverId: string;
  /** Folder of this server's own memory of the ledger, mode 0700; beside its keys. */
  readonly memoryDir: string;
  /** Path of the private socket, at most 107 bytes; its folder is made with, or must have, mode 0700. */
  readonly adminSocketPath: string;
  /** Address to listen on, default `0.0.0.0`. */
  readonly host?: string;
  /** Default 8081; 0: any free port. */
  readonly port?: number;
  /** Lifetime of an authority, ms, at least a minute, default 7 days. */
  readonly caTtlMs?: number;
  /** Lifetime of workloads' SVIDs whose entry says nothing, ms, default 1 h; at most a sixth of `caTtlMs`. */
  readonly x509SvidTtlMs?: number;
  /** Lifetime of JWT-SVIDs whose entry says nothing, ms, default 5 min; at most, and by default no more than, a sixth of `caTtlMs`. */
  readonly jwtSvidTtlMs?: number;
  /** The `iss` of JWT-SVIDs, such as the URL of an OIDC discovery document; default empty: none. */
  readonly jwtIssuer?: string;
  /** Lifetime of agents' SVIDs and of the server's own, ms, default 1 h; at most a sixth of `caTtlMs`. */
  readonly agentSvidTtlMs?: number;
  /** How long an expired agent SVID may be exchanged for a new one, ms, default 30 days; 0: never. */
  readonly recoveryWindowMs?: number;
  /**
   * How long an authority that is activated ahead of the schedule has been published before, ms, default 10 s: twice the
   * time in which agents that poll learn of it.
   */
  readonly forcedSpreadMs?: number;
  /** Oldest picture of the control plane to issue from, ms, default 1 h. */
  readonly maxStalenessMs?: number;
  /** SPIFFE IDs that hold everything; those of other trust domains need their bundle. Default none. */
  readonly adminIds?: readonly string[];
  /** 0..15, default 0: this server opens only epochs that are this modulo 16. */
  readonly slot?: number;
  /** Minor version of the software, default `0.1`. */
  readonly version?: string;
  /** Attestations, recoveries and bundles for one address, default 20 a second and 100 at once. */
  readonly addressRate?: RateLimit;
  /** Syncs of one node, default 10 a second and 50 at once. */
  readonly nodeRate?: RateLimit;
  /** Certificates for one node, default 500 a second and 1000 at once, and as many tokens. */
  readonly signRate?: RateLimit;
  /**
   * Connections at a time of one IPv4 address or one IPv6 /64 that showed no admitted certificate, default 128. Raise it
   * where more nodes than that may join at once from behind one address.
   */
  readonly strangersPerAddress?: number;
  /** Where other trust domains fetch our bundle; default: nowhere. */
  readonly bundleEndpoint?: BundleEndpointOptions;
  /** PEM of the roots that other domains' `https_web` endpoints are proven by; default: those of the machine. */
  readonly webRoots?: string;
  /** Age at which a connection is asked to come again, ms, default 3 minutes. */
  readonly connectionAgeMs?: number;
  /** Longest life of a push stream, ms, default 30 minutes. */
  readonly watchMs?: number;
  /** Time that running calls have to end when the server closes, ms, default 10 s. */
  readonly drainMs?: number;
}

/** Options with every default filled in and every text checked. */
export interface CheckedOptions extends Required<
  Omit<ServerOptions, "trustDomain" | "adminIds" | "bundleEndpoint" | "webRoots">
> {
  readonly bundleEndpoint?: BundleEndpointOptions;
  readonly webRoots?: string;
  readonly trustDomain: TrustDomain;
  readonly adminIds: ReadonlySet<SpiffeId>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * Fills in defaults and checks what depends on each other.
 *
 * @throws SERVER_OPTIONS_INVALID, TRUST_DOMAIN_INVALID, SPIFFE_ID_INVALID
 */
export function checkOptions(options: ServerOptions): CheckedOptions {
  const checked: CheckedOptions = {
    host: "0.0.0.0",
    port: 8081,
    caTtlMs: 7 * DAY_MS,
    x509SvidTtlMs: HOUR_MS,
    jwtSvidTtlMs: Math.min(5 * MINUTE_MS, (options.caTtlMs ?? 7 * DAY_MS) / 6),
    jwtIssuer: "",
    agentSvidTtlMs: HOUR_MS,
    recoveryWindowMs: 30 * DAY_MS,
    forcedSpreadMs: 10_000,
    maxStalenessMs: HOUR_MS,
    slot: 0,
    version: "0.1",
    addressRate: { perSecond: 20, burst: 100 },
    nodeRate: { perSecond: 10, burst: 50 },
    signRate: { perSecond: 500, burst: 1000 },
    strangersPerAddress: LIMITS.strangersPerAddress,
    connectionAgeMs: 3 * MINUTE_MS,
    watchMs: 30 * MINUTE_MS,
    drainMs: 10_000,
    ...options,
    trustDomain: parseTrustDomainName(options.trustDomain),
    adminIds: new Set((options.adminIds ?? []).map((id) => parseSpiffeId(id))),
  };
  const { caTtlMs, x509SvidTtlMs, jwtSvidTtlMs, agentSvidTtlMs } = checked;
  if (caTtlMs < MINUTE_MS) throw invalid("caTtlMs is less than a minute");
  for (const [name, ttl] of Object.entries({ x509SvidTtlMs, jwtSvidTtlMs, agentSvidTtlMs })) {
    if (ttl < 1000) throw invalid(`${name} is less than a second`);
    // What is signed last by an authority would otherwise end before its time.
    if (ttl > caTtlMs / 6) throw invalid(`${name} is more than a sixth of caTtlMs`);
  }
  if (checked.recoveryWindowMs < 0) throw invalid("recoveryWindowMs is negative");
  if (!(checked.forcedSpreadMs >= 0 && checked.forcedSpreadMs <= MINUTE_MS)) {
    throw invalid("forcedSpreadMs is not 0 to a minute");
  }
  if (!(checked.strangersPerAddress >= 1)) throw invalid("strangersPerAddress is less than 1");
  const hint = checked.bundleEndpoint?.refreshHintSeconds ?? 60;
  if (!Number.isSafeInteger(hint) || hint < 1) throw invalid("the refresh hint is not in seconds");
  if (checked.maxStalenessMs < 1000) throw invalid("maxStalenessMs is less than a second");
  return checked;
}

function invalid(message: string): BonafideError {
  return new BonafideError(SERVER_ERRORS, "SERVER_OPTIONS_INVALID", message);
}
