import process from "node:process";

/** A server that somebody else started, from the environment; README.md says how to name one. */
export interface ForeignServer {
  readonly trustDomain: string;
  /** Path of its admin socket. */
  readonly adminSocket: string;
  /** `host:port` that agents dial. */
  readonly address: string;
  /** Words that start an agent, with `{...}` to be filled in. */
  readonly agentCommand: readonly string[];
}

const NAMES = {
  adminSocket: "SCENARIOS_ADMIN_SOCKET",
  address: "SCENARIOS_ADDRESS",
  agentCommand: "SCENARIOS_AGENT",
  trustDomain: "SCENARIOS_TRUST_DOMAIN",
} as const;

/** The server to run the scenarios against; undefined: one of ours, that each test starts. */
export function foreignServer(): ForeignServer | undefined {
  const { env } = process;
  const adminSocket = env[NAMES.adminSocket];
  if (adminSocket === undefined) return undefined;
  const need = (name: string): string => {
    const value = env[name];
    if (value === undefined) throw new Error(`${NAMES.adminSocket} is set and ${name} is not`);
    return value;
  };
  return {
    adminSocket,
    address: need(NAMES.address),
    trustDomain: need(NAMES.trustDomain),
    agentCommand: need(NAMES.agentCommand).split(/\s+/).filter(Boolean),
  };
}

/** What an agent's command may name in braces. */
export interface AgentWords {
  readonly token: string;
  readonly address: string;
  readonly host: string;
  readonly port: string;
  readonly trustDomain: string;
  /** A PEM file of the server's bundle. */
  readonly bundle: string;
  /** A folder of its own, kept over restarts. */
  readonly data: string;
  /** The Workload API's socket. */
  readonly socket: string;
}

/** Fills in a command, and leaves out words that name a token when there is none. */
export function fillIn(command: readonly string[], words: AgentWords): string[] {
  const given = new Map(Object.entries(words));
  return command
    .filter((word) => words.token !== "" || !word.includes("{token}"))
    .map((word) => word.replaceAll(/\{(\w+)\}/g, (all, name: string) => given.get(name) ?? all));
}
