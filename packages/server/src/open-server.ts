import {
  type AnsweredCall,
  type Clock,
  type Log,
  type LogLevelSwitch,
  type Random,
  runTasks,
  slept,
} from "@bonafide/lifetime";
import type { KeyManager, NodeAttestor, Store, UpstreamAuthority } from "@bonafide/plugin-api";
import type { X509Bundle, X509Svid } from "@bonafide/spiffe";
import { type Kernel, listenUnix, type UnixListener } from "@bonafide/unix-peer";
import type { DescService } from "@bufbuild/protobuf";
import { Access } from "./api/access.ts";
import { Alarms } from "./api/alarms.ts";
import { Entitlements } from "./api/entitlements.ts";
import { RateLimiter } from "./api/rate-limiter.ts";
import type { ServiceDeps } from "./api/services.ts";
import { WatchHub } from "./api/watch-hub.ts";
import { forJwt, forX509 } from "./authority/authority-kind.ts";
import { type AuthorityDeps, AuthorityService } from "./authority/authority-service.ts";
import { BundleCache } from "./authority/bundle-cache.ts";
import { RecoveryKey } from "./authority/recovery-key.ts";
import { Upstream } from "./authority/upstream.ts";
import { checkStart } from "./check-start.ts";
import { Doors } from "./doors.ts";
import { BundleRefresher } from "./federation/bundle-refresher.ts";
import { createFetchDocument } from "./federation/fetch-document.ts";
import { OwnEndpoint } from "./federation/own-endpoint.ts";
import { openLedger } from "./memory/open-ledger.ts";
import type { OpenedLedger } from "./memory/opened-ledger.ts";
import { attestorsByName } from "./node-attestors.ts";
import { TlsPort } from "./port/tls-port.ts";
import { ServerIdentity } from "./server-identity.ts";
import { checkOptions, type CheckedOptions, type ServerOptions } from "./server-options.ts";
import { Freshness } from "./upkeep/freshness.ts";
import { keepHouse } from "./upkeep/keep-house.ts";
import { SoftStateWriter } from "./upkeep/soft-state-writer.ts";
import { type StoreWatchDeps, watchStore } from "./upkeep/watch-store.ts";

/** What a server works with. It closes none of them. */
export interface ServerDeps {
  readonly store: Store;
  /** Must be able to sign in this process. */
  readonly keys: KeyManager;
  /** Signs this server's authorities; default: they sign themselves. */
  readonly upstream?: UpstreamAuthority | undefined;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** For `logger.v1`. Default: that service is not served. */
  readonly logLevels?: LogLevelSwitch;
  /** Told of every call that was answered. Must not throw and must not wait. */
  readonly onCall?: (call: AnsweredCall) => void;
  /** Beside join tokens. Default: none. */
  readonly nodeAttestors?: readonly NodeAttestor[];
  /** Which services are served; default: all. For tests of those who have to do without some of them. */
  readonly offers?: (service: DescService) => boolean;
}

/** What a server holds. */
export interface ServerMeasures {
  readonly entries: number;
  readonly nodesLive: number;
  readonly nodesBanned: number;
  /** Number of the newest leaf. */
  readonly leaves: number;
  /** How long the server would still serve if its store stayed away, ms. */
  readonly storeConfirmedForMs: number;
  /** Ends of what signs now, epoch ms; 0: nothing does. */
  readonly x509AuthorityEndsAt: number;
  readonly jwtAuthorityEndsAt: number;
}

/** A server that serves. */
export interface RunningServer extends AsyncDisposable {
  /** The port it listens on; 0 while it is on hold and cannot sign. */
  readonly port: number;
  /** The port of the bundle endpoint; 0: there is none, or not yet. */
  readonly bundleEndpointPort: number;
  readonly adminSocketPath: string;
  /** Whether it signs and answers agents now; a server on hold may, one whose store is gone for long does not. */
  readonly isServing: boolean;
  /** What it holds now, for metrics. */
  measures(): ServerMeasures;
  /** Our own bundle as of now: what an agent needs to trust this server. */
  bundle(): X509Bundle;
  /** Raw public half of the recovery key, 32 bytes: to be pinned where agents are set up. */
  readonly recoveryKey: Uint8Array;
  /** Settles once the server has ended; rejects with the failure that ended it. */
  readonly ended: Promise<void>;
  /** Refuses new calls, lets running ones end, writes what is soft, closes sockets and ledger. Idempotent. */
  close(): Promise<void>;
}

/** How often a server on hold looks whether it may open its port. */
const HELD_POLL_MS = 500;

/**
 * Opens a server: reconciles the ledger, makes an authority if there is none, and listens on the TLS port and on the
 * private socket. Resolves once both answer.
 *
 * @throws SERVER_OPTIONS_INVALID
 * @throws what the ledger, the key manager and the sockets throw; nothing is left open then
 */
export async function openServer(options: ServerOptions, deps: ServerDeps): Promise<RunningServer> {
  const checked = checkOptions(options);
  const nodeAttestors = attestorsByName(deps.nodeAttestors ?? []);
  const { store, clock, log } = deps;
  const keys = await checkStart(checked, deps.keys);
  const ledger = await openLedger(
    {
      store,
      clock,
      report: ({ event, ...fields }) => {
        log({ level: event === "ledger.held" ? "error" : "info", event, fields });
      },
    },
    {
      trustDomain: checked.trustDomain,
      serverId: checked.serverId,
      memoryDir: checked.memoryDir,
      slot: checked.slot,
      version: checked.version,
    },
  );
  const server = new Server(checked, deps, ledger, { keys, nodeAttestors });
  try {
    await server.open();
  } catch (error) {
    await server.close();
    throw error;
  }
  log({ level: "info", event: "server.opened", fields: { port: server.port } });
  return server;
}

class Server implements RunningServer {
  readonly ended: Promise<void>;
  readonly adminSocketPath: string;
  recoveryKey: Uint8Array = new Uint8Array();
  readonly #options: CheckedOptions;
  readonly #deps: ServerDeps;
  readonly #ledger: OpenedLedger;
  readonly #services: ServiceDeps;
  readonly #doors: Doors;
  readonly #hub: WatchHub;
  readonly #stopFollowing: () => void;
  /** Aborts first: streams end. */
  readonly #leaving = new AbortController();
  /** Aborts once no call runs any more: background work ends. */
  readonly #ending = new AbortController();
  readonly #end = Promise.withResolvers<void>();
  #identity: ServerIdentity | undefined;
  #tls: TlsPort | undefined;
  #endpoint: OwnEndpoint | undefined;
  #unix: UnixListener | undefined;
  #tasks: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #port = 0;

  constructor(
    options: CheckedOptions,
    deps: ServerDeps,
    ledger: OpenedLedger,
    { keys, nodeAttestors }: Pick<AuthorityDeps, "keys"> & Pick<ServiceDeps, "nodeAttestors">,
  ) {
    const { clock, log, random, store } = deps;
    const { registry } = ledger;
    const { lane } = ledger;
    const { trustDomain, serverId } = options;
    this.#options = options;
    this.#deps = deps;
    this.#ledger = ledger;
    this.adminSocketPath = options.adminSocketPath;
    this.ended = this.#end.promise;
    this.ended.catch(() => {
      // Whoever wants to know asks; nobody has to.
    });
    const bundles = new BundleCache(registry, trustDomain, log);
    const access = new Access({ registry, clock, bundles }, options);
    const authorityDeps = { keys, registry, lane, clock, log };
    const fetchDocument = createFetchDocument({ webRoots: options.webRoots, clock });
    const upstream =
      deps.upstream === undefined
        ? undefined
        : new Upstream({ authority: deps.upstream, registry, lane, clock, log }, options);
    const kindOptions = { ...options, upstream };
    this.#services = {
      upstream,
      store,
      registry,
      lane,
      clock,
      random,
      log,
      access,
      authorities: new AuthorityService(authorityDeps, options, forX509(kindOptions)),
      jwtAuthorities: new AuthorityService(authorityDeps, options, forJwt(kindOptions)),
      bundles,
      entitlements: new Entitlements(registry, trustDomain, clock),
      freshness: new Freshness(clock, options.maxStalenessMs),
      soft: new SoftStateWriter({ soft: store.soft, clock, log }),
      alarms: new Alarms({ lane, clock, log, serverId }),
      addressRate: new RateLimiter(clock, options.addressRate),
      nodeRate: new RateLimiter(clock, options.nodeRate),
      signRate: new RateLimiter(clock, options.signRate),
      jwtSignRate: new RateLimiter(clock, options.signRate),
      nodeAttestors,
      refresher: new BundleRefresher({
        registry,
        lane,
        clock,
        random,
        log,
        bundles,
        fetchDocument,
        serverId,
      }),
      serverSvid: () => this.#identity?.svid,
      closing: this.#leaving.signal,
    };
    this.#hub = new WatchHub(registry, clock);
    this.#stopFollowing = registry.onAdopted((changes) => {
      if (changes.some(({ kind }) => kind === "authority")) this.#refreshIdentity();
    });
    const { offers, logLevels, onCall } = deps;
    this.#doors = new Doors(this.#services, options, {
      hub: this.#hub,
      ledger,
      offers,
      logLevels,
      onCall,
    });
  }

  get port(): number {
    return this.#port;
  }

  get bundleEndpointPort(): number {
    return this.#endpoint?.port ?? 0;
  }

  get isServing(): boolean {
    return this.#doors.isServing;
  }

  measures(): ServerMeasures {
    const { registry, freshness } = this.#services;
    let banned = 0;
    let live = 0;
    for (const { object } of registry.all("node")) {
      if (object.state === "banned") banned++;
      if (object.state === "live") live++;
    }
    const endOf = (use: "x509" | "jwt"): number => {
      let end = 0;
      for (const { object } of registry.all("authority")) {
        const signs = object.server === this.#options.serverId && object.state === "active";
        if (signs && object.use === use) end = object.notAfterMs;
      }
      return end;
    };
    return {
      entries: registry.count("entry"),
      nodesLive: live,
      nodesBanned: banned,
      leaves: registry.head.n,
      storeConfirmedForMs: Math.max(0, freshness.remainingMs()),
      x509AuthorityEndsAt: endOf("x509"),
      jwtAuthorityEndsAt: endOf("jwt"),
    };
  }

  bundle(): X509Bundle {
    return this.#services.bundles.own().x509;
  }

  /**
   * Opens the parts in the order in which they need each other. A server on hold that cannot sign opens the private
   * socket only, so that somebody can answer the hold.
   */
  async open(): Promise<void> {
    const { authorities, jwtAuthorities, soft, upstream } = this.#services;
    const { log } = this.#deps;
    await this.#openSocket();
    try {
      await upstream?.refresh();
      await authorities.settle();
      await jwtAuthorities.settle();
    } catch (error) {
      // A store that refuses writes is no reason not to serve what can be served.
      log({ level: "warn", event: "authority.rotation_failed", error });
    }
    try {
      await soft.load();
    } catch (error) {
      log({ level: "warn", event: "soft_state.not_read", error });
    }
    // An upstream that is away may come back: until then there is nothing to show on the port.
    const mustOpen = this.#ledger.standing.kind === "writing" && upstream === undefined;
    if (mustOpen || this.#canSign()) await this.#openPort();
    this.#tasks = this.#run();
  }

  async #openSocket(): Promise<void> {
    const { kernel, log } = this.#deps;
    this.#unix = await listenUnix({
      kernel,
      path: this.adminSocketPath,
      mode: 0o600,
      folderMode: 0o700,
      label: "admin",
      onConnection: ({ socket, caller }) => {
        try {
          const { uid, pid } = caller();
          this.#doors.local.inject(socket, { kind: "local", uid, pid });
        } catch (error) {
          log({ level: "warn", event: "admin_socket.caller_unknown", error });
          socket.destroy();
        }
      },
    });
  }

  /** @throws AUTHORITY_NOT_READY, and what the socket throws */
  async #openPort(): Promise<void> {
    const { authorities, access, bundles } = this.#services;
    const { clock, keys, log, random } = this.#deps;
    const { registry, lane } = this.#ledger;
    const { serverId, trustDomain, agentSvidTtlMs } = this.#options;
    const { host, port, connectionAgeMs, strangersPerAddress } = this.#options;
    const deps = { keys, registry, lane, clock, log, serverId };
    const recoveryKey = await RecoveryKey.open(deps);
    this.recoveryKey = recoveryKey.publicKey;
    this.#doors.addRecovery(recoveryKey);
    this.#identity = ServerIdentity.open(
      { authorities, clock, log, present: (svid) => this.#present(svid) },
      trustDomain,
      agentSvidTtlMs,
    );
    await this.#openEndpoint(this.#identity);
    this.#tls = new TlsPort(
      this.#identity.svid,
      {
        members: this.#doors.members,
        strangers: this.#doors.strangers,
        clock,
        random,
        log,
        bundles: () => bundles.all(),
        isAdmin: (id) => access.isAdminId(id),
        isLasting: (connection) => this.#hub.isWatching(connection),
      },
      { trustDomain, host, port, connectionAgeMs, strangersPerAddress },
    );
    this.#port = await this.#tls.listen();
    this.#doors.say(true);
  }

  async #openEndpoint(identity: ServerIdentity): Promise<void> {
    const { bundleEndpoint, trustDomain } = this.#options;
    if (bundleEndpoint === undefined) return;
    const { bundles, clock, log } = this.#services;
    const deps = { bundles, clock, log };
    this.#endpoint = await OwnEndpoint.open(() => identity.svid, trustDomain, deps, bundleEndpoint);
  }

  #present(svid: X509Svid): void {
    this.#tls?.present(svid);
    this.#endpoint?.present(svid);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { authorities, jwtAuthorities, refresher, soft, upstream } = this.#services;
    const wake = (): void => {
      authorities.wake();
      jwtAuthorities.wake();
    };
    try {
      await runTasks(this.#ending.signal, [
        (signal) => authorities.run(signal),
        (signal) => jwtAuthorities.run(signal),
        ...(upstream === undefined ? [] : [(signal: AbortSignal) => upstream.run(signal, wake)]),
        (signal) => this.#identify(signal),
        (signal) => soft.run(signal),
        (signal) => refresher.run(signal),
        (signal) => watchStore(this.#storeWatch(), signal),
        (signal) => keepHouse({ ...this.#services, serverId: this.#options.serverId }, signal),
      ]);
      this.#end.resolve();
    } catch (error) {
      this.#deps.log({ level: "error", event: "server.failed", error });
      this.#end.reject(error);
    }
  }

  /** Keeps the server's own SVID fresh; opens the port first if that had to wait. */
  async #identify(signal: AbortSignal): Promise<void> {
    while (this.#identity === undefined && !signal.aborted) {
      if (this.#canSign()) await this.#openPort();
      else if (!(await slept(this.#deps.clock, HELD_POLL_MS, signal))) return;
    }
    await Promise.all([this.#identity?.run(signal), this.#endpoint?.run(signal)]);
  }

  #storeWatch(): StoreWatchDeps {
    const { store, clock, log, freshness, registry } = this.#services;
    return {
      store,
      clock,
      log,
      freshness,
      registry,
      mayTrust: () => this.#ledger.standing.kind === "writing",
      looked: () => {
        const isServing = this.#port !== 0 && this.#canSign() && freshness.remainingMs() > 0;
        this.#doors.say(isServing);
      },
    };
  }

  /** Shows another SVID at once when another authority signs, and does not wait for the next look. */
  #refreshIdentity(): void {
    try {
      this.#identity?.refresh();
    } catch (error) {
      this.#deps.log({ level: "warn", event: "server_svid.not_renewed", error });
    }
  }

  #canSign(): boolean {
    try {
      this.#services.authorities.signing();
      return true;
    } catch {
      return false;
    }
  }

  async #close(): Promise<void> {
    const { log } = this.#deps;
    this.#doors.say(false);
    this.#leaving.abort();
    await this.#tls?.close();
    await this.#endpoint?.close();
    await this.#doors.drain(this.#options.drainMs);
    this.#ending.abort();
    await this.#unix?.close();
    await this.#tasks;
    try {
      await this.#services.soft.flush();
    } catch (error) {
      log({ level: "warn", event: "soft_state.not_written", error });
    }
    this.#hub.close();
    this.#stopFollowing();
    await this.#ledger.close();
    this.#end.resolve();
    log({ level: "info", event: "server.closed" });
  }
}
