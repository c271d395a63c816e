import type { LogLevel } from "@bonafide/lifetime";
import { z } from "zod";
import { duration, hostPort, logLevel, operations, path, rawKey, trustDomain } from "./fields.ts";
import { loadConfig } from "./load-config.ts";
import { nodeAttestor, type NodeAttestorConfig } from "./node-attestor-config.ts";

/** A valid agent configuration, as the file spells it; durations are in ms. */
export interface AgentConfig {
  readonly trust_domain: string;
  readonly data_dir: string;
  readonly server: string;
  readonly join_token?: string | undefined;
  readonly join_token_file?: string | undefined;
  readonly trust_bundle?: string | undefined;
  readonly insecure_bootstrap: boolean;
  readonly workload_socket: string;
  readonly admin_socket?: string | undefined;
  readonly poll_interval: number;
  readonly prefetch_limit: number;
  readonly discover_path: boolean;
  readonly allowed_foreign_jwt_claims: readonly string[];
  readonly recovery_key?: string | undefined;
  readonly streams_per_user?: number | undefined;
  readonly attestations_per_user?: number | undefined;
  readonly require_pinned_peer?: boolean | undefined;
  readonly node_attestor?: NodeAttestorConfig | undefined;
  readonly health_listen?: string | undefined;
  readonly metrics_listen?: string | undefined;
  readonly otlp_endpoint?: string | undefined;
  readonly otlp_interval: number;
  readonly log_level: LogLevel;
}

const schema = z.strictObject({
  trust_domain: trustDomain.describe("name of the trust domain, such as example.org"),
  data_dir: path.describe("folder of the agent's own SVID, bundle and entries; 0700"),
  server: hostPort.describe("the server's address, host:port"),
  join_token: z.string().max(255).optional().describe("for the first start; prefer a file"),
  join_token_file: path.optional().describe("file that holds the join token"),
  trust_bundle: path.optional().describe("the server's bundle, PEM or SPIFFE JSON"),
  insecure_bootstrap: z
    .boolean()
    .default(false)
    .describe("trust whatever server answers first; for trying out only"),
  workload_socket: path
    .default("/run/bonafide/agent.sock")
    .describe("socket of the Workload API, open to every local process"),
  admin_socket: path.optional().describe("default DATA_DIR/private/admin.sock"),
  poll_interval: duration({ minMs: 100, maxMs: 3_600_000 })
    .prefault("5s")
    .describe("for servers that cannot push"),
  prefetch_limit: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(1000)
    .describe("SVIDs kept ready although nobody asks for them"),
  discover_path: z.boolean().default(true).describe("observe unix:path and unix:sha256"),
  allowed_foreign_jwt_claims: z
    .array(z.string().min(1).max(255))
    .max(100)
    .default([])
    .describe(
      "claims of other trust domains' tokens that ValidateJWTSVID tells beside sub, aud and exp",
    ),
  require_pinned_peer: z
    .boolean()
    .optional()
    .describe("serve nobody whose process cannot be pinned; default true when root"),
  recovery_key: rawKey
    .optional()
    .describe(
      "the trust domain's recovery key (bonafide bundle show --format recovery-key); default: learned from the server " +
        "at the first start",
    ),
  streams_per_user: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("streams of one user of this node at a time, default 1024; root has no such limit"),
  attestations_per_user: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe("calls of one user a second, default 200"),
  node_attestor: nodeAttestor
    .optional()
    .describe("by what the node proves itself, in place of a join token"),
  ...operations,
  log_level: logLevel.default("info").describe("least severe level that is written"),
});

/** Reads the agent's configuration; flags, by key, lie over the file. @throws CONFIG_UNREADABLE, CONFIG_INVALID */
export function loadAgentConfig(
  file: string | undefined,
  flags: Readonly<Partial<Record<keyof AgentConfig, unknown>>>,
): AgentConfig {
  return loadConfig(schema, file, flags);
}

/** JSON Schema of the file, for editors. */
export function agentConfigJsonSchema(): unknown {
  return z.toJSONSchema(schema, { io: "input" });
}
