import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { openAgent, type AgentEnd, type Bootstrap } from "@bonafide/agent";
import { BonafideError } from "@bonafide/errors";
import { type Clock, systemRandom, whenAborted } from "@bonafide/lifetime";
import { parseTrustDomain } from "@bonafide/spiffe";
import { openKernel } from "@bonafide/unix-peer";
import type { AgentConfig } from "../config/agent-config.ts";
import { CLI_ERRORS } from "../errors.ts";
import { onCallOf, openOperations } from "../operations/operations.ts";
import { agentReadings } from "../operations/readings.ts";
import { createSwitchedLog, standardError } from "../process/log.ts";
import { makeFoldersAbove } from "../up/owned-folder.ts";
import { VERSION } from "../version.ts";
import { splitHostPort } from "./listen-address.ts";
import { nodeProverOf } from "./node-attestors.ts";
import { reloadOnHangup } from "./reload.ts";

/** What a started agent tells whoever started it. */
export interface AgentFacts {
  readonly id: string;
  readonly workloadSocket: string;
  readonly adminSocket: string;
}

/** Options of {@link runAgent}. */
export interface RunAgentOptions {
  readonly config: AgentConfig;
  /** Join token handed over by whoever started this process; the configuration's otherwise. */
  readonly joinToken: string | undefined;
  /** Reads the configuration again, for SIGHUP; undefined: it was not read from a file. */
  readonly reload?: (() => AgentConfig) | undefined;
  /** Ends the agent, cleanly. */
  readonly signal: AbortSignal;
  /** Called once it has joined and heard of its entries. */
  readonly onReady: (facts: AgentFacts) => void;
  readonly clock: Clock;
}

/** Wires an agent together and runs it until the signal aborts or it cannot go on. @returns how it ended */
export async function runAgent(options: RunAgentOptions): Promise<AgentEnd> {
  const { config, signal, onReady, clock } = options;
  const dataDir = resolve(config.data_dir);
  makeFoldersAbove(dataDir);
  const { log: write, levels: logLevels } = createSwitchedLog({
    name: "agent",
    level: config.log_level,
    stream: standardError,
  });
  await using operations = await openOperations("agent", config, { clock, log: write });
  const log = operations.counted(write);
  using _ =
    options.reload &&
    reloadOnHangup({ current: config, load: options.reload, log, levels: logLevels });
  const kernel = await openKernel();
  kernel.makeNonDumpable();
  const joinToken = options.joinToken ?? joinTokenOf(config);
  const prover = nodeProverOf(config.node_attestor);
  await using agent = await openAgent(
    {
      trustDomain: parseTrustDomain(config.trust_domain),
      server: splitHostPort(config.server),
      dataDir,
      workloadSocket: resolve(config.workload_socket),
      adminSocket: resolve(config.admin_socket ?? join(dataDir, "private", "admin.sock")),
      bootstrap: bootstrapOf(config),
      pollIntervalMs: config.poll_interval,
      prefetchMax: config.prefetch_limit,
      discoverPath: config.discover_path,
      foreignJwtClaims: config.allowed_foreign_jwt_claims,
      version: VERSION,
      ...(joinToken === undefined ? {} : { joinToken }),
      ...(config.recovery_key === undefined
        ? {}
        : { recoveryKey: Buffer.from(config.recovery_key, "base64") }),
      uidLimits: {
        ...(config.streams_per_user === undefined
          ? {}
          : { streamsPerUidMax: config.streams_per_user }),
        ...(config.attestations_per_user === undefined
          ? {}
          : { attestationsASecond: config.attestations_per_user }),
      },
      ...(config.require_pinned_peer === undefined
        ? {}
        : { requirePinnedPeer: config.require_pinned_peer }),
    },
    {
      clock,
      random: systemRandom,
      log,
      logLevels,
      kernel,
      ...(prover === undefined ? {} : { prover }),
      ...onCallOf(operations),
    },
    { signal },
  );
  operations.watch({
    get isServing() {
      return agent.isServing;
    },
    readings: () => agentReadings(agent.measures()),
  });
  const tellWhenReady = async (): Promise<void> => {
    try {
      await agent.ready({ signal });
    } catch {
      return; // why it never got ready is what `ended` says, or the signal
    }
    onReady({
      id: agent.id ?? "",
      workloadSocket: agent.workloadSocket,
      adminSocket: agent.adminSocket,
    });
  };
  const [end] = await Promise.all([
    Promise.race([agent.ended, whenAborted(signal)]).then(
      (ended) => ended ?? { kind: "closed" as const },
    ),
    tellWhenReady(),
  ]);
  return end;
}

function joinTokenOf(config: AgentConfig): string | undefined {
  if (config.join_token !== undefined) return config.join_token;
  if (config.join_token_file === undefined) return undefined;
  try {
    return readFileSync(config.join_token_file, "utf8").trim();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BonafideError(CLI_ERRORS, "FILE_UNREADABLE", `join_token_file: ${why}`, { cause });
  }
}

function bootstrapOf(config: AgentConfig): Bootstrap {
  if (config.trust_bundle !== undefined) return { kind: "file", path: config.trust_bundle };
  return config.insecure_bootstrap ? { kind: "insecure" } : { kind: "none" };
}
