import type { FlagValues } from "../arguments/command.ts";
import type { ServerConfig } from "./server-config.ts";

/** Flags of `server run` and `server validate`; each lies over the same key of the file. */
export const SERVER_FLAGS = {
  config: { kind: "string", help: "YAML file", placeholder: "FILE", spire: "config" },
  "trust-domain": { kind: "string", help: "such as example.org", spire: "trustDomain" },
  "data-dir": { kind: "string", help: "store and keys", placeholder: "DIR", spire: "dataDir" },
  listen: { kind: "string", help: "address for agents", placeholder: "HOST:PORT" },
  "admin-socket": {
    kind: "string",
    help: "private socket",
    placeholder: "PATH",
    spire: "socketPath",
  },
  "ca-ttl": { kind: "string", help: "life of an X.509 authority", placeholder: "DURATION" },
  "x509-svid-ttl": { kind: "string", help: "life of workloads' SVIDs", placeholder: "DURATION" },
  "agent-svid-ttl": { kind: "string", help: "life of agents' SVIDs", placeholder: "DURATION" },
  "log-level": { kind: "string", help: "debug, info, warn or error", spire: "logLevel" },
} as const;

/** The flags by the keys of the file. */
export function serverFlagValues(
  flags: FlagValues<typeof SERVER_FLAGS>,
): Partial<Record<keyof ServerConfig, unknown>> {
  return {
    trust_domain: flags["trust-domain"],
    data_dir: flags["data-dir"],
    listen: flags.listen,
    admin_socket: flags["admin-socket"],
    ca_ttl: flags["ca-ttl"],
    x509_svid_ttl: flags["x509-svid-ttl"],
    agent_svid_ttl: flags["agent-svid-ttl"],
    log_level: flags["log-level"],
  };
}
