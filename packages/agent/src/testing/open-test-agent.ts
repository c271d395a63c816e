import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Clock,
  type LogEvent,
  type LogLevelSwitch,
  type Random,
  systemClock,
  systemRandom,
} from "@bonafide/lifetime";
import type { NodeProver } from "@bonafide/plugin-api";
import { type Channel, type Client, createClient, openUnixChannel } from "@bonafide/rpc";
import { parseTrustDomainName } from "@bonafide/spiffe";
import { openKernel } from "@bonafide/unix-peer";
import type { DescService } from "@bufbuild/protobuf";
import type { AgentDeps, AgentOptions } from "../agent-options.ts";
import { openAgent, type RunningAgent } from "../open-agent.ts";

/** What is spread over seconds costs a test a fraction of them. */
const QUICK: Random = { fraction: () => systemRandom.fraction() / 20 };

/** The header that every call of the Workload API carries. */
export const WORKLOAD_HEADERS: Readonly<Record<string, string>> = { "workload.spiffe.io": "true" };

/** Deadline of a call, ms: one that no busy machine comes to. What hangs is found by the bound of its file. */
const CALL_MS = 60_000;

/** One line that the agent logged. */
export type LogLine = LogEvent & Required<Pick<LogEvent, "fields">>;

/** Options of {@link openTestAgent}. */
export interface TestAgentOptions extends Partial<AgentOptions> {
  readonly server: AgentOptions["server"];
  readonly clock?: Clock;
  /** Of its log. Default: none. */
  readonly logLevels?: LogLevelSwitch;
  /** Beside the built-in ones. */
  readonly attestors?: AgentDeps["attestors"];
  /** By what it comes in, in place of a join token. */
  readonly prover?: NodeProver;
  /** Which lines are kept; default: all. */
  readonly keeps?: (line: LogLine) => boolean;
}

/** A real agent on real sockets in a folder of its own, and clients for it. */
export interface TestAgent extends AsyncDisposable {
  readonly agent: RunningAgent;
  readonly folder: string;
  readonly log: readonly LogLine[];
  /** A client on the workload socket, on a connection of its own. */
  workload<S extends DescService>(service: S): Client<S>;
  /** A client on the admin socket. */
  admin<S extends DescService>(service: S): Client<S>;
  /** Resolves once such a line was, or is, logged. */
  logged(event: string): Promise<LogLine>;
  /** Ends it and opens another one on the same folder. */
  restart(options?: Partial<AgentOptions>): Promise<void>;
}

/** Opens an agent for a test; trust domain `example.org` unless the options say otherwise. */
export async function openTestAgent(options: TestAgentOptions): Promise<TestAgent> {
  const folder = await mkdtemp(join(tmpdir(), "bf-agt-"));
  const log: LogLine[] = [];
  const waiting: { event: string; resolve: (line: LogLine) => void }[] = [];
  const kernel = await openKernel();
  const {
    clock = systemClock,
    attestors = [],
    keeps = () => true,
    prover,
    logLevels,
    ...given
  } = options;
  const open = (more: Partial<AgentOptions> = {}): Promise<RunningAgent> =>
    openAgent(
      {
        trustDomain: parseTrustDomainName("example.org"),
        dataDir: join(folder, "data"),
        workloadSocket: join(folder, "w", "agent.sock"),
        adminSocket: join(folder, "private", "admin.sock"),
        version: "0.0.0-test",
        ...given,
        ...more,
      },
      {
        clock,
        random: QUICK,
        kernel,
        attestors,
        ...(prover === undefined ? {} : { prover }),
        ...(logLevels === undefined ? {} : { logLevels }),
        log: ({ fields = {}, ...event }) => {
          const line = { ...event, fields };
          if (keeps(line)) log.push(line);
          for (const each of waiting.splice(0)) {
            if (each.event === line.event) each.resolve(line);
            else waiting.push(each);
          }
        },
      },
    );
  let agent: RunningAgent;
  try {
    agent = await open();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const channels: Channel[] = [];
  const client = <S extends DescService>(service: S, path: string): Client<S> => {
    const channel = openUnixChannel(path, { timeoutMs: CALL_MS });
    channels.push(channel);
    return createClient(service, channel);
  };
  return {
    get agent() {
      return agent;
    },
    folder,
    log,
    workload: (service) => client(service, agent.workloadSocket),
    admin: (service) => client(service, agent.adminSocket),
    logged: (event) =>
      new Promise((resolve) => {
        const line = log.find((each) => each.event === event);
        if (line === undefined) waiting.push({ event, resolve });
        else resolve(line);
      }),
    async restart(more) {
      await agent.close();
      agent = await open(more);
    },
    async [Symbol.asyncDispose]() {
      for (const channel of channels) channel.close();
      await agent.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
