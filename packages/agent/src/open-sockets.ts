import { BonafideError } from "@bonafide/errors";
import type { AnsweredCall, Clock, EpochMs, Log } from "@bonafide/lifetime";
import {
  addHealth,
  addReflection,
  type HealthRegistry,
  type IncomingCall,
  openServer,
  type RpcServer,
} from "@bonafide/rpc";
import {
  type Kernel,
  listenUnix,
  type UnixConnection,
  type UnixListener,
} from "@bonafide/unix-peer";
import { checkOperator } from "./admin/check-operator.ts";
import type { AgentOptions } from "./agent-options.ts";
import { patchAuthority } from "./authority-patch/patched-socket.ts";
import type { UidOwners } from "./core/subordinate-uids.ts";
import type { IdentityGroups } from "./identity/identity-groups.ts";
import {
  WORKLOAD_REQUEST_BYTES_MAX,
  WORKLOAD_REQUEST_FRAMES_MAX,
  WORKLOAD_STREAMS_PER_CONNECTION_MAX,
} from "./limits.ts";
import type { JwtSvidCache } from "./svid/jwt-svid-cache.ts";
import type { SvidKeeper } from "./svid/svid-keeper.ts";
import type { CallerGate } from "./workload/caller-gate.ts";
import { securityHeaderFault } from "./workload/header-check.ts";
import { addSelfApi } from "./workload/self-api.ts";
import { addWorkloadApi } from "./workload/workload-api.ts";

/** What the sockets serve from. */
export interface AgentSocketsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly onCall?: (call: AnsweredCall) => void;
  readonly kernel: Kernel;
  readonly uidOwners: UidOwners;
  readonly gate: CallerGate;
  readonly groups: IdentityGroups;
  readonly keeper: SvidKeeper;
  readonly jwtSvids: JwtSvidCache;
  readonly serverNow: () => EpochMs;
  readonly foreignClaims: ReadonlySet<string>;
  readonly knowsEntries: () => boolean;
  readonly health: HealthRegistry;
  readonly addWorkloadServices: (server: RpcServer<UnixConnection>) => void;
  readonly addAdminServices: (server: RpcServer<UnixConnection>) => void;
}

/** Listens on the workload socket and on the admin socket; disposing closes both and all their calls. */
export async function openAgentSockets(
  options: AgentOptions,
  deps: AgentSocketsDeps,
): Promise<AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const open = new WeakMap<IncomingCall<UnixConnection>, () => void>();
  const workload = opened.use(
    openServer<UnixConnection>({
      clock: deps.clock,
      requestBytesMax: WORKLOAD_REQUEST_BYTES_MAX,
      requestFramesMax: WORKLOAD_REQUEST_FRAMES_MAX,
      streamsPerConnectionMax: WORKLOAD_STREAMS_PER_CONNECTION_MAX,
      check: (call) => {
        const method = `${call.service}/${call.method}`;
        const fault = securityHeaderFault(call);
        if (fault !== undefined) throw deps.gate.refuseHeader(call.peer, method, fault);
        open.set(call, deps.gate.admit(call.peer, method));
      },
      observe: ({ call, error, status, durationMs }) => {
        open.get(call)?.();
        deps.onCall?.({ service: call.service, method: call.method, status, durationMs });
        if (error !== undefined && !(error instanceof BonafideError)) {
          const fields = { path: call.path };
          deps.log({ level: "error", event: "workload.call_failed", fields, error });
        }
      },
    }),
  );
  addWorkloadApi(workload, deps);
  addSelfApi(workload, deps);
  deps.addWorkloadServices(workload);
  addHealth(workload, deps.health);
  addReflection(workload);
  const admin = opened.use(
    openServer<UnixConnection>({
      clock: deps.clock,
      check: checkOperator,
      observe: ({ call, error, status, durationMs }) => {
        deps.onCall?.({ service: call.service, method: call.method, status, durationMs });
        if (error !== undefined && !(error instanceof BonafideError)) {
          const fields = { path: call.path };
          deps.log({ level: "error", event: "admin.call_failed", fields, error });
        }
      },
    }),
  );
  deps.addAdminServices(admin);
  addHealth(admin, deps.health);
  addReflection(admin);
  const { requirePinnedPeer } = options;
  opened.use(
    await listen(admin, deps, {
      path: options.adminSocket,
      mode: 0o600,
      folderMode: 0o700,
      label: "admin",
    }),
  );
  opened.use(
    await listen(workload, deps, {
      path: options.workloadSocket,
      mode: 0o777,
      folderMode: 0o755,
      label: "default",
      ...(requirePinnedPeer === undefined ? {} : { requirePinnedPeer }),
    }),
  );
  return opened.move();
}

interface SocketOptions {
  readonly path: string;
  readonly mode: number;
  readonly folderMode: number;
  readonly label: string;
  readonly requirePinnedPeer?: boolean;
}

function listen(
  server: RpcServer<UnixConnection>,
  { kernel, log, uidOwners }: AgentSocketsDeps,
  options: SocketOptions,
): Promise<UnixListener> {
  return listenUnix({
    kernel,
    ownerOf: (uid) => uidOwners.ownerOf(uid),
    ...options,
    onConnection: (connection) => {
      server.inject(patchAuthority(connection.socket), connection);
    },
    onDropped: (dropped) => {
      log({
        level: "warn",
        event: "socket.dropped",
        fields: { socket: options.label, ...dropped },
      });
    },
  });
}
