import type { Clock, Log, Random } from "@bonafide/lifetime";
import type { NodeAttestor, Store } from "@bonafide/plugin-api";
import type { TrustDomain, X509Svid } from "@bonafide/spiffe";
import type { JwtAuthority } from "../authority/authority-kind.ts";
import type { AuthorityService } from "../authority/authority-service.ts";
import type { BundleCache } from "../authority/bundle-cache.ts";
import type { SigningAuthority } from "../authority/sign-svid.ts";
import type { Upstream } from "../authority/upstream.ts";
import type { BundleRefresher } from "../federation/bundle-refresher.ts";
import type { Registry } from "../lane/registry.ts";
import type { Lane } from "../lane/write-lane.ts";
import type { Freshness } from "../upkeep/freshness.ts";
import type { SoftStateWriter } from "../upkeep/soft-state-writer.ts";
import type { Access } from "./access.ts";
import type { Alarms } from "./alarms.ts";
import type { Entitlements } from "./entitlements.ts";
import type { RateLimiter } from "./rate-limiter.ts";

/** What the handlers of the server's services share. */
export interface ServiceDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly lane: Lane;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly access: Access;
  /** Those that sign X509-SVIDs. */
  readonly authorities: AuthorityService<SigningAuthority>;
  /** Those that sign JWT-SVIDs. */
  readonly jwtAuthorities: AuthorityService<JwtAuthority>;
  /** What signs our authorities; undefined: they sign themselves. */
  readonly upstream: Upstream | undefined;
  readonly bundles: BundleCache;
  readonly entitlements: Entitlements;
  readonly freshness: Freshness;
  readonly soft: SoftStateWriter;
  readonly alarms: Alarms;
  /** The server's own SVID as it is presented now; undefined before the port is open. */
  readonly serverSvid: () => X509Svid | undefined;
  /** By name; join tokens are not among them. */
  readonly nodeAttestors: ReadonlyMap<string, NodeAttestor>;
  /** Other trust domains' bundles. */
  readonly refresher: BundleRefresher;
  /** By address, before anything is known of the caller. */
  readonly addressRate: RateLimiter;
  /** By node: calls. */
  readonly nodeRate: RateLimiter;
  /** By node: certificates. */
  readonly signRate: RateLimiter;
  /** By node: tokens, which any of its users may ask for without end; they take nothing from certificates. */
  readonly jwtSignRate: RateLimiter;
  /** Aborts when the server begins to close; streams end then. */
  readonly closing: AbortSignal;
}

/** What the handlers are told once. */
export interface ServiceOptions {
  readonly trustDomain: TrustDomain;
  /** Random id of this server. */
  readonly serverId: string;
  /** Lifetime of our authorities, and the longest of those below, ms. */
  readonly caTtlMs: number;
  /** Lifetime of workloads' SVIDs whose entry says nothing, ms. */
  readonly x509SvidTtlMs: number;
  /** Lifetime of JWT-SVIDs whose entry says nothing, ms. */
  readonly jwtSvidTtlMs: number;
  /** The `iss` of JWT-SVIDs; empty for none. */
  readonly jwtIssuer: string;
  /** Lifetime of agents' SVIDs, ms. */
  readonly agentSvidTtlMs: number;
  /** How long an expired agent SVID may be exchanged, ms; 0: never. */
  readonly recoveryWindowMs: number;
  /** Longest life of a push stream, ms. */
  readonly watchMs: number;
}
