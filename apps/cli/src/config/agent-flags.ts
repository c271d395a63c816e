import type { FlagValues } from "../arguments/command.ts";
import type { AgentConfig } from "./agent-config.ts";

/** Flags of `agent run` and `agent validate`; each lies over the same key of the file. */
export const AGENT_FLAGS = {
  config: { kind: "string", help: "YAML file", placeholder: "FILE", spire: "config" },
  "trust-domain": { kind: "string", help: "such as example.org", spire: "trustDomain" },
  "data-dir": { kind: "string", help: "own SVID and cache", placeholder: "DIR", spire: "dataDir" },
  server: { kind: "string", help: "the server's address", placeholder: "HOST:PORT" },
  "join-token": { kind: "string", help: "visible to every local user", spire: "joinToken" },
  "join-token-file": { kind: "string", help: "better", placeholder: "FILE" },
  "trust-bundle": {
    kind: "string",
    help: "PEM or JSON",
    placeholder: "FILE",
    spire: "trustBundle",
  },
  "insecure-bootstrap": {
    kind: "boolean",
    help: "trust whatever server answers first",
    spire: "insecureBootstrap",
  },
  "workload-socket": {
    kind: "string",
    help: "Workload API",
    placeholder: "PATH",
    spire: "socketPath",
  },
  "admin-socket": {
    kind: "string",
    help: "private socket",
    placeholder: "PATH",
    spire: "adminSocketPath",
  },
  "log-level": { kind: "string", help: "debug, info, warn or error", spire: "logLevel" },
} as const;

/** The flags by the keys of the file. */
export function agentFlagValues(
  flags: FlagValues<typeof AGENT_FLAGS>,
): Partial<Record<keyof AgentConfig, unknown>> {
  return {
    trust_domain: flags["trust-domain"],
    data_dir: flags["data-dir"],
    server: flags.server,
    join_token: flags["join-token"],
    join_token_file: flags["join-token-file"],
    trust_bundle: flags["trust-bundle"],
    insecure_bootstrap: flags["insecure-bootstrap"] ? true : undefined,
    workload_socket: flags["workload-socket"],
    admin_socket: flags["admin-socket"],
    log_level: flags["log-level"],
  };
}
