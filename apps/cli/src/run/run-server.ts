import { join, resolve } from "node:path";
import { BonafideError } from "@bonafide/errors";
import { openDiskKeyManager } from "@bonafide/key-manager-disk";
import { createMemoryKeyManager } from "@bonafide/key-manager-memory";
import {
  type Clock,
  type Log,
  type RateLimit,
  systemRandom,
  whenAborted,
} from "@bonafide/lifetime";
import { openServer, type RunningServer, type ServerOptions } from "@bonafide/server";
import { openSqliteStore } from "@bonafide/store-sqlite";
import { openKernel } from "@bonafide/unix-peer";
import type { Rate } from "../config/fields.ts";
import type { ServerConfig } from "../config/server-config.ts";
import { CLI_ERRORS } from "../errors.ts";
import { onCallOf, openOperations } from "../operations/operations.ts";
import { serverReadings } from "../operations/readings.ts";
import { createSwitchedLog, standardError } from "../process/log.ts";
import { makeFoldersAbove, makeOwnedFolder } from "../up/owned-folder.ts";
import { federationOf } from "./federation-options.ts";
import { splitHostPort } from "./listen-address.ts";
import { openNodeAttestors } from "./node-attestors.ts";
import { reloadOnHangup } from "./reload.ts";
import { loadServerId } from "./server-id.ts";
import { openUpstreamAuthority } from "./upstream-authority.ts";

/** What a started server tells whoever started it. */
export interface ServerFacts {
  readonly port: string;
  readonly adminSocket: string;
}

/** Options of {@link runServer}. */
export interface RunServerOptions {
  readonly config: ServerConfig;
  /** Ends the server, cleanly. */
  readonly signal: AbortSignal;
  /** Reads the configuration again, for SIGHUP; undefined: it was not read from a file. */
  readonly reload?: (() => ServerConfig) | undefined;
  /** Called once it serves. */
  readonly onReady: (facts: ServerFacts) => void;
  /** Called when the server is held: it writes nothing until a person has decided. */
  readonly onHeld: (message: string) => void;
  readonly clock: Clock;
}

/** Wires a server together, runs it until the signal aborts, and closes everything in the order of need. */
export async function runServer(options: RunServerOptions): Promise<void> {
  const { config, signal, onReady, onHeld, clock } = options;
  const dataDir = resolve(config.data_dir);
  makeFoldersAbove(dataDir);
  makeOwnedFolder(dataDir, 0o700);
  for (const name of ["keys", "memory"]) makeOwnedFolder(join(dataDir, name), 0o700);
  const { log: write, levels: logLevels } = createSwitchedLog({
    name: "server",
    level: config.log_level,
    stream: standardError,
  });
  await using operations = await openOperations("server", config, { clock, log: write });
  const log: Log = operations.counted((event) => {
    const message = event.fields?.["message"];
    if (event.event === "ledger.held" && typeof message === "string") onHeld(message);
    write(event);
  });
  using _ =
    options.reload &&
    reloadOnHangup({ current: config, load: options.reload, log, levels: logLevels });
  const kernel = await openKernel();
  kernel.makeNonDumpable();
  // Keys before the store: a start that fails on them leaves no database behind.
  await using keys =
    config.key_manager === "memory"
      ? createMemoryKeyManager()
      : await openDiskKeyManager(join(dataDir, "keys"), { signal });
  const nodeAttestors = await openNodeAttestors(config.node_attestors, log);
  const upstream = await openUpstreamAuthority(config, { clock, log });
  await using above = new AsyncDisposableStack();
  above.defer(async () => upstream?.close());
  const serverId = loadServerId(dataDir);
  const store = await openSqliteStore({ path: join(dataDir, "ledger.sqlite") });
  await using closing = new AsyncDisposableStack();
  closing.defer(() => store.close());
  const { host, port } = splitHostPort(config.listen);
  await using server = await openListening(
    () =>
      openServer(
        {
          trustDomain: config.trust_domain,
          serverId,
          memoryDir: join(dataDir, "memory"),
          adminSocketPath: config.admin_socket ?? join(dataDir, "private", "admin.sock"),
          host,
          port,
          caTtlMs: config.ca_ttl,
          x509SvidTtlMs: config.x509_svid_ttl,
          agentSvidTtlMs: config.agent_svid_ttl,
          recoveryWindowMs: config.agent_recovery_window,
          maxStalenessMs: config.max_staleness,
          forcedSpreadMs: config.authority_spread,
          adminIds: config.admin_ids,
          slot: config.slot,
          ...limitsOf(config),
          ...jwtOf(config),
          ...federationOf(config),
        },
        {
          store,
          keys,
          upstream,
          kernel,
          clock,
          random: systemRandom,
          log,
          logLevels,
          nodeAttestors,
          ...onCallOf(operations),
        },
      ),
    config.listen,
  );
  operations.watch({
    get isServing() {
      return server.isServing;
    },
    readings: () => serverReadings(server.measures()),
  });
  onReady({ port: String(server.port), adminSocket: server.adminSocketPath });
  await Promise.race([server.ended, whenAborted(signal)]);
}

type Limits = Pick<ServerOptions, "strangersPerAddress" | "addressRate" | "nodeRate" | "signRate">;

/** Only what is given: the server knows its own defaults. */
function limitsOf(config: ServerConfig): Limits {
  const { strangers_per_address, address_rate, node_rate, sign_rate } = config;
  return {
    ...(strangers_per_address === undefined ? {} : { strangersPerAddress: strangers_per_address }),
    ...(address_rate === undefined ? {} : { addressRate: rateOf(address_rate) }),
    ...(node_rate === undefined ? {} : { nodeRate: rateOf(node_rate) }),
    ...(sign_rate === undefined ? {} : { signRate: rateOf(sign_rate) }),
  };
}

/** The same for JWT-SVIDs, whose default life depends on that of their authority. */
function jwtOf({
  jwt_svid_ttl,
  jwt_issuer,
}: ServerConfig): Pick<ServerOptions, "jwtSvidTtlMs" | "jwtIssuer"> {
  return {
    ...(jwt_svid_ttl === undefined ? {} : { jwtSvidTtlMs: jwt_svid_ttl }),
    ...(jwt_issuer === undefined ? {} : { jwtIssuer: jwt_issuer }),
  };
}

function rateOf({ per_second, burst }: Rate): RateLimit {
  return { perSecond: per_second, burst };
}

/** Says which address it was that the system refused. @throws LISTEN_FAILED */
async function openListening(
  open: () => Promise<RunningServer>,
  address: string,
): Promise<RunningServer> {
  try {
    return await open();
  } catch (cause) {
    const isOfSystem = cause instanceof Error && "syscall" in cause;
    if (!isOfSystem || (cause.syscall !== "listen" && cause.syscall !== "getaddrinfo")) throw cause;
    throw new BonafideError(
      CLI_ERRORS,
      "LISTEN_FAILED",
      `cannot listen on ${address}: ${cause.message}`,
      { cause, details: { next: "stop what listens there, or give --listen another address" } },
    );
  }
}
