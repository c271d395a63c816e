import type { LogLevel } from "@bonafide/lifetime";
import { z } from "zod";
import {
  DAY_MS,
  duration,
  hostPort,
  logLevel,
  operations,
  path,
  rate,
  type Rate,
  spiffeId,
  trustDomain,
} from "./fields.ts";
import { loadConfig } from "./load-config.ts";
import { nodeAttestors, type NodeAttestorsConfig } from "./node-attestor-config.ts";
import { upstreamAuthority, type UpstreamAuthorityConfig } from "./upstream-authority-config.ts";

/** A valid server configuration, as the file spells it; durations are in ms. */
export interface ServerConfig {
  readonly trust_domain: string;
  readonly data_dir: string;
  readonly listen: string;
  readonly admin_socket?: string | undefined;
  readonly ca_ttl: number;
  readonly x509_svid_ttl: number;
  readonly jwt_svid_ttl?: number | undefined;
  readonly jwt_issuer?: string | undefined;
  readonly agent_svid_ttl: number;
  readonly agent_recovery_window: number;
  readonly max_staleness: number;
  readonly key_manager: "disk" | "memory";
  readonly admin_ids: readonly string[];
  readonly slot: number;
  readonly strangers_per_address?: number | undefined;
  readonly address_rate?: Rate | undefined;
  readonly node_rate?: Rate | undefined;
  readonly sign_rate?: Rate | undefined;
  readonly node_attestors?: NodeAttestorsConfig | undefined;
  readonly health_listen?: string | undefined;
  readonly metrics_listen?: string | undefined;
  readonly otlp_endpoint?: string | undefined;
  readonly otlp_interval: number;
  readonly bundle_endpoint?: BundleEndpointConfig | undefined;
  readonly web_roots?: string | undefined;
  readonly upstream_authority?: UpstreamAuthorityConfig | undefined;
  readonly authority_spread: number;
  readonly log_level: LogLevel;
}

/** Where other trust domains fetch our bundle. */
export interface BundleEndpointConfig {
  readonly listen: string;
  readonly profile: "https_web" | "https_spiffe";
  /** Both with `https_web`, neither with `https_spiffe`. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** Milliseconds. */
  readonly refresh_hint: number;
}

/** How many lives of an SVID fit into that of its authority, at least: one signed late must not outlive it. */
const SVIDS_PER_AUTHORITY = 6;

const bundleEndpoint = z
  .strictObject({
    listen: hostPort,
    profile: z.enum(["https_web", "https_spiffe"]),
    certificate: path.optional(),
    key: path.optional(),
    refresh_hint: duration({ minMs: 60_000, maxMs: DAY_MS }).prefault("5m"),
  })
  .refine(
    ({ profile, certificate, key }) =>
      (certificate !== undefined) === (profile === "https_web") &&
      (key !== undefined) === (profile === "https_web"),
    {
      path: ["profile"],
      message: "https_web needs certificate and key, and https_spiffe takes neither",
    },
  );

const base = z.strictObject({
  trust_domain: trustDomain.describe("name of the trust domain, such as example.org"),
  data_dir: path.describe("folder of the store, the keys and the server's own memory; 0700"),
  listen: hostPort.default("0.0.0.0:8081").describe("address for agents, TLS"),
  admin_socket: path.optional().describe("default DATA_DIR/private/admin.sock"),
  ca_ttl: duration({ minMs: 60_000, maxMs: 3650 * DAY_MS })
    .prefault("7d")
    .describe("life of an X.509 authority; at least six times that of the longest SVID"),
  x509_svid_ttl: duration({ minMs: 1000, maxMs: 365 * DAY_MS })
    .prefault("1h")
    .describe("life of a workload's SVID where its entry says nothing"),
  jwt_svid_ttl: duration({ minMs: 1000, maxMs: 365 * DAY_MS })
    .optional()
    .describe(
      "life of a JWT-SVID where its entry says nothing; default 5m, or a sixth of ca_ttl if that is less",
    ),
  jwt_issuer: z
    .string()
    .min(1)
    .max(2048)
    .optional()
    .describe("`iss` of JWT-SVIDs, such as the URL of an OIDC discovery document; default none"),
  agent_svid_ttl: duration({ minMs: 1000, maxMs: 365 * DAY_MS })
    .prefault("1h")
    .describe("life of an agent's own SVID"),
  agent_recovery_window: duration({ minMs: 0, maxMs: 365 * DAY_MS })
    .prefault("30d")
    .describe("how long an expired agent may come back with its old SVID; 0 switches it off"),
  max_staleness: duration({ minMs: 1000, maxMs: 7 * DAY_MS })
    .prefault("1h")
    .describe("how long the server serves from memory while its store is away"),
  key_manager: z.enum(["disk", "memory"]).default("disk").describe("where private keys live"),
  admin_ids: z
    .array(spiffeId)
    .max(1000)
    .default([])
    .describe("who may do everything over the network, too; of other trust domains as well"),
  slot: z
    .int()
    .min(0)
    .max(15)
    .default(0)
    .describe("of servers that share a store, one number each"),
  strangers_per_address: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      "connections at a time of one address (IPv6: one /64) that showed no certificate, default 128; raise it where more " +
        "nodes join at once from behind one address",
    ),
  address_rate: rate
    .optional()
    .describe("joins and recoveries from one address, default 20 a second and 100 at once"),
  node_rate: rate.optional().describe("syncs of one node, default 10 a second and 50 at once"),
  sign_rate: rate
    .optional()
    .describe(
      "certificates for one node, default 500 a second and 1000 at once, and as many tokens",
    ),
  upstream_authority: upstreamAuthority
    .optional()
    .describe("what signs this server's authorities; default: they sign themselves"),
  authority_spread: duration({ minMs: 0, maxMs: 60_000 })
    .prefault("10s")
    .describe("how long an authority that is activated by force has been published before"),
  node_attestors: nodeAttestors
    .optional()
    .describe("how nodes may come in beside join tokens, each by its name"),
  ...operations,
  bundle_endpoint: bundleEndpoint
    .optional()
    .describe(
      "where other trust domains fetch our bundle: `listen`, `profile` (https_spiffe: the server's own SVID; https_web: " +
        "`certificate` and `key`, PEM files that are read again when they change), `refresh_hint`, default 5m; default nowhere",
    ),
  web_roots: path
    .optional()
    .describe(
      "PEM file of the roots that other domains' https_web endpoints are proven by; default those of the machine",
    ),
  log_level: logLevel.default("info").describe("least severe level that is written"),
});

const schema = base.refine(
  ({ ca_ttl, x509_svid_ttl, jwt_svid_ttl = 0, agent_svid_ttl }) =>
    Math.max(x509_svid_ttl, jwt_svid_ttl, agent_svid_ttl) * SVIDS_PER_AUTHORITY <= ca_ttl,
  {
    path: ["ca_ttl"],
    message: "is less than six times x509_svid_ttl, jwt_svid_ttl or agent_svid_ttl",
  },
);

/** Reads the server's configuration; flags, by key, lie over the file. @throws CONFIG_UNREADABLE, CONFIG_INVALID */
export function loadServerConfig(
  file: string | undefined,
  flags: Readonly<Partial<Record<keyof ServerConfig, unknown>>>,
): ServerConfig {
  return loadConfig(schema, file, flags);
}

/** JSON Schema of the file, for editors. */
export function serverConfigJsonSchema(): unknown {
  return z.toJSONSchema(schema, { io: "input" });
}
