import type { AnsweredCall, Log, LogLevelSwitch } from "@bonafide/lifetime";
import { Authorities } from "@bonafide/proto/bonafide/admin/v1/authorities_pb";
import { Entries } from "@bonafide/proto/bonafide/admin/v1/entries_pb";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { Status } from "@bonafide/proto/bonafide/admin/v1/status_pb";
import { Recovery } from "@bonafide/proto/bonafide/agent/v1/recovery_pb";
import { NodeSync } from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Debug } from "@bonafide/proto/spire/api/server/debug/v1/debug_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import { Logger } from "@bonafide/proto/spire/api/server/logger/v1/logger_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { TrustDomain } from "@bonafide/proto/spire/api/server/trustdomain/v1/trustdomain_pb";
import {
  addHealth,
  addReflection,
  addService,
  type CallReport,
  type Handlers,
  HealthRegistry,
  openServer as openRpcServer,
  type RpcServer,
} from "@bonafide/rpc";
import type { DescService } from "@bufbuild/protobuf";
import { adminAuthoritiesHandlers } from "./api/admin-authorities.ts";
import { adminEntriesHandlers } from "./api/admin-entries.ts";
import { adminLedgerHandlers } from "./api/admin-ledger.ts";
import { adminStatusHandlers } from "./api/admin-status.ts";
import { agentHandlers } from "./api/agent-service.ts";
import { localAuthorityHandlers } from "./api/authority-service.ts";
import { bundleHandlers } from "./api/bundle-service.ts";
import { debugHandlers } from "./api/debug-service.ts";
import { entryHandlers } from "./api/entry-service.ts";
import { isOurFault } from "./api/item-status.ts";
import { loggerHandlers } from "./api/logger-service.ts";
import { nodeSyncHandlers } from "./api/node-sync.ts";
import { recoveryHandlers } from "./api/recovery-service.ts";
import { assertRuled } from "./api/rules.ts";
import type { ServiceDeps, ServiceOptions } from "./api/services.ts";
import { svidHandlers } from "./api/svid-service.ts";
import { trustDomainHandlers } from "./api/trust-domain-service.ts";
import type { WatchHub } from "./api/watch-hub.ts";
import type { RecoveryKey } from "./authority/recovery-key.ts";
import { LIMITS } from "./limits.ts";
import type { OpenedLedger } from "./memory/opened-ledger.ts";
import type { ServerPeer } from "./port/server-peer.ts";

/** When to come again if nobody knows better, ms: clients of a store that is away should not all guess. */
const RETRY_MS = 2000;

/**
 * What may be called, by whom it is reached: members over TLS, strangers over TLS, and whoever the private socket lets
 * in. All offer the same services and judge each call by the same rules; what differs is how much a caller can make the
 * server hold before it is known what the caller may do.
 */
export class Doors {
  /** Callers with an admitted certificate. */
  readonly members: RpcServer<ServerPeer>;
  /** Callers without one, or with one that was refused. */
  readonly strangers: RpcServer<ServerPeer>;
  readonly local: RpcServer<ServerPeer>;
  readonly #health = new HealthRegistry();
  readonly #services: ServiceDeps;
  readonly #options: ServiceOptions;

  /** @param about.offers  Which services are served; default: all. */
  constructor(
    services: ServiceDeps,
    options: ServiceOptions,
    about: {
      readonly hub: WatchHub;
      readonly ledger: OpenedLedger;
      readonly logLevels?: LogLevelSwitch | undefined;
      readonly offers?: ((service: DescService) => boolean) | undefined;
      /** Told of every call that was answered. */
      readonly onCall?: ((call: AnsweredCall) => void) | undefined;
    },
  ) {
    const { access, clock, log } = services;
    const { hub, ledger, logLevels, offers, onCall } = about;
    this.#services = services;
    this.#options = options;
    const shared = {
      clock,
      messageBytesMax: LIMITS.messageBytes,
      retryAfterMs: RETRY_MS,
      connectionsMax: LIMITS.connections,
      ...(offers === undefined ? {} : { offers }),
      check: access.check.bind(access),
      observe: (report: CallReport<ServerPeer>) => {
        observe(log, report);
        const { service, method } = report.call;
        onCall?.({ service, method, status: report.status, durationMs: report.durationMs });
      },
    };
    this.members = openRpcServer({ ...shared, streamsPerConnectionMax: LIMITS.memberStreams });
    this.local = openRpcServer({ ...shared, streamsPerConnectionMax: LIMITS.localStreams });
    this.strangers = openRpcServer({
      ...shared,
      requestBytesMax: LIMITS.strangerRequestBytes,
      requestFramesMax: LIMITS.strangerRequestFrames,
      connectionsMax: LIMITS.strangers,
      streamsPerConnectionMax: LIMITS.strangerStreams,
    });
    for (const rpc of this.#all()) {
      serve(rpc, Agent, agentHandlers(services, options));
      serve(rpc, Entry, entryHandlers(services, options));
      serve(rpc, Bundle, bundleHandlers(services, options));
      serve(rpc, TrustDomain, trustDomainHandlers(services, options));
      serve(rpc, SVID, svidHandlers(services, options));
      serve(rpc, LocalAuthority, localAuthorityHandlers(services, options));
      serve(rpc, Authorities, adminAuthoritiesHandlers(services, options));
      serve(rpc, Entries, adminEntriesHandlers(services, options));
      serve(rpc, NodeSync, nodeSyncHandlers(services, options, hub));
    }
    serve(this.local, Ledger, adminLedgerHandlers(services, options, ledger));
    serve(this.local, Status, adminStatusHandlers(services, options, ledger));
    serve(this.local, Debug, debugHandlers(services));
    if (logLevels !== undefined) serve(this.local, Logger, loggerHandlers(logLevels, log));
    addHealth(this.local, this.#health);
    addReflection(this.local);
    for (const { services: served } of this.#all()) served.forEach(assertRuled);
  }

  /** Serves recoveries and the signed bundle, once there is a key for them. */
  addRecovery(key: RecoveryKey): void {
    for (const rpc of this.#all()) {
      serve(rpc, Recovery, recoveryHandlers(this.#services, this.#options, key));
    }
  }

  /** What health checks were told last. */
  get isServing(): boolean {
    return this.#health.statuses.get("") === "serving";
  }

  /** What health checks are told. */
  say(isServing: boolean): void {
    this.#health.set("", isServing ? "serving" : "not_serving");
  }

  /** Lets running calls end within `graceMs`, then ends them; resolves once every connection is gone. */
  async drain(graceMs: number): Promise<void> {
    await Promise.all(this.#all().map((rpc) => rpc.drain(graceMs)));
    this.#health.close();
  }

  #all(): readonly RpcServer<ServerPeer>[] {
    return [this.members, this.strangers, this.local];
  }
}

/** Adds a service, once it is decided who may call each of its methods. */
function serve<S extends DescService>(
  rpc: RpcServer<ServerPeer>,
  service: S,
  handlers: Partial<Handlers<S, ServerPeer>>,
): void {
  assertRuled(service);
  addService(rpc, service, handlers);
}

function observe(log: Log, { call, status, error, durationMs }: CallReport<ServerPeer>): void {
  if (error === undefined || !isOurFault(error)) return;
  const fields = { path: call.path, status, durationMs: Math.round(durationMs) };
  log({ level: "error", event: "call.failed", fields, error });
}
