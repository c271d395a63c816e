import { join } from "node:path";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { type EpochMs, runTasks, unlessAborted } from "@bonafide/lifetime";
import { Launcher, LauncherAdmin } from "@bonafide/proto/bonafide/agent/v1/launcher_pb";
import { Debug } from "@bonafide/proto/spire/api/agent/debug/v1/debug_pb";
import { Logger } from "@bonafide/proto/spire/api/agent/logger/v1/logger_pb";
import { addService, type CallContext, HealthRegistry } from "@bonafide/rpc";
import { type UnixConnection, UnixPeer } from "@bonafide/unix-peer";
import { agentDebugHandlers } from "./admin/debug-api.ts";
import { addDiagnosis } from "./admin/diagnosis-api.ts";
import { agentLoggerHandlers } from "./admin/logger-api.ts";
import type { AgentDeps, AgentOptions } from "./agent-options.ts";
import { type Attestation, createAttestation } from "./attestation/attestation.ts";
import { nsAttestor } from "./attestation/ns-attestor.ts";
import { createUnixAttestor } from "./attestation/unix/unix-attestor.ts";
import { because, causeOf } from "./cause-details.ts";
import { longestPauseMs } from "./core/pauses.ts";
import type { UidOwners } from "./core/subordinate-uids.ts";
import type { Cause } from "./core/why/causes.ts";
import { explainAgent } from "./core/why/explain-agent.ts";
import { DecisionLog } from "./decision/decision-log.ts";
import { lockFolder } from "./disk/folder-lock.ts";
import { IdentityFile } from "./disk/identity-file.ts";
import { JoinKey } from "./disk/join-key.ts";
import { PictureFile, type StoredPicture } from "./disk/picture-file.ts";
import { PinFile, type Pins } from "./disk/pin-file.ts";
import { removeUnfinished } from "./disk/private-file.ts";
import { makePrivateFolder } from "./disk/private-folder.ts";
import { AGENT_ERRORS } from "./errors.ts";
import { IdentityGroups } from "./identity/identity-groups.ts";
import { launcherAttestor } from "./launcher/launcher-attestor.ts";
import { launcherAdminHandlers, launcherHandlers } from "./launcher/launcher-services.ts";
import { LauncherSlots } from "./launcher/launcher-slots.ts";
import { slotsFile } from "./launcher/slots-file.ts";
import {
  fetchBundleInsecure,
  type BootstrapBundle,
  parseBootstrap,
  readBootstrap,
} from "./node/bootstrap.ts";
import { watchClockJumps } from "./node/clock-jumps.ts";
import { ClockWatch } from "./node/clock-watch.ts";
import { NodeIdentity } from "./node/node-identity.ts";
import { NodePins } from "./node/node-pins.ts";
import { Synchroniser } from "./node/synchroniser.ts";
import { openAgentSockets } from "./open-sockets.ts";
import { AuthorityTerms } from "./picture/authority-terms.ts";
import { PictureWriter } from "./picture/picture-writer.ts";
import { Picture } from "./picture/picture.ts";
import { signJwtSvid } from "./server/sign-jwt-svid.ts";
import { signSvids } from "./server/sign-svids.ts";
import { JwtSvidCache } from "./svid/jwt-svid-cache.ts";
import { SvidKeeper } from "./svid/svid-keeper.ts";
import { CallerGate } from "./workload/caller-gate.ts";
import { readUidOwners } from "./workload/read-uid-owners.ts";
import { UidLimits } from "./workload/uid-limits.ts";

/** How an agent ended. */
export type AgentEnd =
  /** By {@link RunningAgent.close}. */
  | { readonly kind: "closed" }
  /** It cannot go on without a person; `cause` says what happened and which command mends it. */
  | { readonly kind: "stopped"; readonly cause: Cause | undefined };

/** What an agent holds. */
export interface AgentMeasures {
  readonly entries: number;
  readonly cachedX509Svids: number;
  readonly streams: number;
  /** End of its own SVID, epoch ms; 0: it has none. */
  readonly svidEndsAt: number;
  /** When it last heard of its server, epoch ms; 0: not in this run. */
  readonly lastSyncAt: number;
}

/** An agent that serves. */
export interface RunningAgent extends AsyncDisposable {
  readonly workloadSocket: string;
  readonly adminSocket: string;
  /** Its SPIFFE ID; undefined until it has joined. */
  readonly id: string | undefined;
  /** Whether it hands out identities now. */
  readonly isServing: boolean;
  /** What it holds now, for metrics. */
  measures(): AgentMeasures;
  /** Resolves once the agent has a valid SVID and has heard of its entries in this run. Rejects when it ends before. */
  ready(options: { readonly signal: AbortSignal }): Promise<void>;
  /** Settles when the agent has ended; rejects with the failure that ended it. */
  readonly ended: Promise<AgentEnd>;
  /** Ends all calls, closes the sockets, keeps what is to be kept. Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens an agent: reads its state, listens on both sockets, and joins or comes back to its server in the background.
 *
 * @throws AGENT_STATE_LOCKED, AGENT_STATE_INVALID, AGENT_STATE_UNAVAILABLE
 * @throws BOOTSTRAP_MISSING, BOOTSTRAP_BUNDLE_INVALID
 * @throws what the sockets throw; nothing is left open then
 * @stability experimental
 */
export async function openAgent(
  options: AgentOptions,
  deps: AgentDeps,
  opening: { readonly signal?: AbortSignal } = {},
): Promise<RunningAgent> {
  await makePrivateFolder(options.dataDir);
  const unlock = lockFolder(options.dataDir);
  try {
    await removeUnfinished(options.dataDir);
    return await openLocked({ options, deps, unlock }, opening.signal);
  } catch (error) {
    unlock();
    throw error;
  }
}

async function openLocked(
  given: {
    readonly options: AgentOptions;
    readonly deps: AgentDeps;
    readonly unlock: () => void;
  },
  signal: AbortSignal = new AbortController().signal,
): Promise<RunningAgent> {
  const { options, deps, unlock } = given;
  const pictureFile = new PictureFile(join(options.dataDir, "picture.pb"));
  const pinFile = new PinFile(join(options.dataDir, "pins.json"));
  const identityFile = new IdentityFile(join(options.dataDir, "identity.json"));
  const stored = await pictureFile.read(options.trustDomain);
  const start = await startOf(stored, options, deps, signal);
  const picture = new Picture(start.bundle);
  if (stored?.update !== undefined) picture.adopt(stored.update);
  const terms = new AuthorityTerms({ ...deps, picture });
  const clockWatch = new ClockWatch(deps);
  const identity = new NodeIdentity(
    {
      ...deps,
      picture,
      terms,
      identityFile,
      pins: new NodePins(
        pinFile,
        options.trustDomain,
        await pinsOf(options, pinFile, start.recoveryKey),
      ),
      clockWatch,
      joinKey: new JoinKey(join(options.dataDir, "joining.key")),
    },
    { address: options.server, joinToken: options.joinToken },
  );
  const held = await identityFile.read();
  if (held !== undefined) identity.restore(held);
  const slots = await LauncherSlots.open({
    ...deps,
    file: slotsFile(join(options.dataDir, "slots.json")),
  });
  const uidOwners = await readUidOwners(deps.log, options.uidFiles);
  const state = { picture, terms, pictureFile, identity, slots, clockWatch, uidOwners, unlock };
  const agent = new Agent(options, deps, state);
  try {
    await agent.open();
  } catch (error) {
    await agent.close();
    throw error;
  }
  return agent;
}

interface AgentState {
  readonly picture: Picture;
  readonly terms: AuthorityTerms;
  readonly pictureFile: PictureFile;
  readonly identity: NodeIdentity;
  readonly slots: LauncherSlots;
  readonly clockWatch: ClockWatch;
  readonly uidOwners: UidOwners;
  /** Gives the data folder back. */
  readonly unlock: () => void;
}

class Agent implements RunningAgent {
  readonly #options: AgentOptions;
  readonly #deps: AgentDeps;
  readonly #state: AgentState;
  readonly #closing = new AbortController();
  readonly #ended = Promise.withResolvers<AgentEnd>();
  readonly #synced = Promise.withResolvers<void>();
  readonly #health = new HealthRegistry();
  readonly #unix: ReturnType<typeof createUnixAttestor>;
  readonly #attestation: Attestation;
  readonly #keeper: SvidKeeper;
  readonly #limits: UidLimits;
  readonly #jwtSvids: JwtSvidCache;
  readonly #groups: IdentityGroups;
  readonly #synchroniser: Synchroniser;
  readonly #clockWatch: ClockWatch;
  #sockets: AsyncDisposable | undefined;
  #running: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: AgentOptions, deps: AgentDeps, state: AgentState) {
    this.#options = options;
    this.#deps = deps;
    this.#state = state;
    const { picture, identity } = state;
    const { clock } = deps;
    // Both are looked at by callers that may never come; a rejection nobody awaits is no failure of its own.
    this.#ended.promise.catch(() => {});
    this.#synced.promise.catch(() => {});
    this.#clockWatch = state.clockWatch;
    this.#unix = createUnixAttestor({
      uidOwners: state.uidOwners,
      path: options.discoverPath ?? true,
      wantsSha256: () => wantsSha256(picture),
    });
    this.#attestation = createAttestation({
      clock,
      attestors: [
        this.#unix,
        nsAttestor(),
        launcherAttestor(state.slots),
        ...(deps.attestors ?? []),
      ],
    });
    this.#keeper = new SvidKeeper(
      {
        ...deps,
        picture,
        terms: state.terms,
        signer: {
          sign: async (requests, callOptions) => {
            await identity.whenValid(callOptions.signal);
            return identity.links.use((link) => signSvids(link, requests, callOptions));
          },
        },
        mayIssue: () => this.#clockWatch.mayIssue,
        serverNow: () => this.#serverNow(),
        sawFresh: (validity) => {
          this.#clockWatch.sawFresh(validity);
        },
      },
      options.prefetchMax === undefined ? {} : { prefetchMax: options.prefetchMax },
    );
    this.#limits = new UidLimits(clock, options.uidLimits, state.uidOwners);
    this.#jwtSvids = new JwtSvidCache({
      takeToken: (uid) => {
        this.#limits.takeToken(uid);
      },
      ownerOf: (uid) => state.uidOwners.ownerOf(uid),
      log: deps.log,
      sign: async (request, callOptions) => {
        if (!this.#clockWatch.mayIssue) {
          throw new BonafideError(AGENT_ERRORS, "CLOCK_SKEWED", "the node's clock is too far off");
        }
        if (!identity.isValid) {
          throw new BonafideError(AGENT_ERRORS, "AGENT_NOT_READY", "the agent has no valid SVID");
        }
        return identity.links.use((link) => signJwtSvid(link, request, callOptions));
      },
      serverNow: () => this.#serverNow(),
      isGood: (keyId) =>
        picture.bundle.jwt.keys.has(keyId) && !picture.bundle.taintedJwt.has(keyId),
    });
    picture.onChange(({ bundle }) => {
      if (bundle) this.#jwtSvids.dropBad();
    });
    this.#groups = new IdentityGroups({ picture, keeper: this.#keeper, clock });
    this.#synchroniser = new Synchroniser(
      {
        ...deps,
        picture,
        identity,
        clockWatch: this.#clockWatch,
        pauseMsMax: () => this.#pauseMsMax(),
        onSynced: () => {
          this.#onSynced();
        },
      },
      { pollIntervalMs: options.pollIntervalMs ?? 5000, agentVersion: options.version },
    );
  }

  get workloadSocket(): string {
    return this.#options.workloadSocket;
  }

  get adminSocket(): string {
    return this.#options.adminSocket;
  }

  get id(): string | undefined {
    return this.#state.identity.svid?.id;
  }

  get isServing(): boolean {
    return this.#health.statuses.get("") === "serving";
  }

  measures(): AgentMeasures {
    const { picture, identity } = this.#state;
    return {
      entries: picture.entries.size,
      cachedX509Svids: this.#keeper.size,
      streams: this.#limits.streams,
      svidEndsAt: identity.svid?.notAfter ?? 0,
      lastSyncAt: this.#synchroniser.lastSyncAt ?? 0,
    };
  }

  get ended(): Promise<AgentEnd> {
    return this.#ended.promise;
  }

  ready({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    return unlessAborted(this.#synced.promise, signal);
  }

  async open(): Promise<void> {
    const { clock, log, kernel, logLevels } = this.#deps;
    const { picture, identity, slots } = this.#state;
    const decisions = new DecisionLog(undefined, this.#state.uidOwners);
    const limits = this.#limits;
    const gate = new CallerGate({ clock, log, attestation: this.#attestation, decisions, limits });
    const shared = { clock, keeper: this.#keeper, groups: this.#groups, gate, limits };
    this.#health.set("", picture.known && identity.isValid ? "serving" : "not_serving");
    this.#sockets = await openAgentSockets(this.#options, {
      ...this.#deps,
      ...shared,
      uidOwners: this.#state.uidOwners,
      health: this.#health,
      jwtSvids: this.#jwtSvids,
      serverNow: () => this.#serverNow(),
      foreignClaims: new Set(this.#options.foreignJwtClaims),
      knowsEntries: () => picture.known,
      addWorkloadServices: (server) => {
        addService(server, Launcher, launcherHandlers(slots, callerOf));
      },
      addAdminServices: (server) => {
        addService(server, LauncherAdmin, launcherAdminHandlers(slots, callerOf));
        addService(
          server,
          Debug,
          agentDebugHandlers({
            ...shared,
            picture,
            identity,
            synchroniser: this.#synchroniser,
            jwtSvids: this.#jwtSvids,
            serverNow: () => this.#serverNow(),
          }),
        );
        if (logLevels !== undefined) {
          addService(server, Logger, agentLoggerHandlers(logLevels, log));
        }
        addDiagnosis(server, {
          ...shared,
          picture,
          decisions,
          identity,
          synchroniser: this.#synchroniser,
          clockWatch: this.#clockWatch,
          observeProcess: async (pid, options) => {
            using peer = UnixPeer.ofProcess(kernel, pid);
            return await this.#attestation.observe(peer, options);
          },
          address: this.#options.server,
          version: this.#options.version,
          socketPath: this.#options.workloadSocket,
          startedAt: clock.now(),
        });
      },
    });
    this.#running = this.#run();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { picture, pictureFile, identity, slots } = this.#state;
    const { clock } = this.#deps;
    const { signal } = this.#closing;
    const writer = new PictureWriter({ ...this.#deps, picture, file: pictureFile });
    try {
      await runTasks(signal, [
        (ending) => identity.run(ending, () => this.#pauseMsMax()),
        (ending) => this.#synchroniser.run(ending),
        (ending) => this.#keeper.run(ending),
        (ending) => this.#groups.run(ending),
        (ending) => writer.run(ending),
        (ending) => slots.run(ending),
        (ending) => watchClockJumps(clock, (jumpMs) => this.#onJump(jumpMs), ending),
      ]);
      this.#end({ kind: "closed" });
    } catch (error) {
      if (isBonafideError(error, "AGENT_STOPPED")) {
        const [cause] = explainAgent({
          standing: identity.standing,
          ...(this.id === undefined ? {} : { agentId: this.id }),
        });
        const { says, hint, command } = cause ?? {};
        const fields = { code: causeOf(error), says, hint, command };
        this.#deps.log({ level: "error", event: "agent.stopped", fields });
        this.#end({ kind: "stopped", cause });
      } else {
        this.#deps.log({ level: "error", event: "agent.failed", error });
        this.#synced.reject(error);
        this.#ended.reject(error);
      }
    } finally {
      this.#health.set("", "not_serving");
      await this.#sockets?.[Symbol.asyncDispose]();
    }
  }

  #end(end: AgentEnd): void {
    const text =
      end.kind === "stopped" ? (end.cause?.says ?? "the agent stopped") : "it was closed";
    const cause = end.kind === "stopped" ? end.cause?.code : undefined;
    const details = cause === undefined ? {} : because(cause);
    this.#synced.reject(new BonafideError(AGENT_ERRORS, "AGENT_STOPPED", text, { details }));
    this.#ended.resolve(end);
  }

  async #close(): Promise<void> {
    this.#closing.abort(new Error("the agent is closed"));
    this.#groups.close();
    this.#jwtSvids.close();
    await this.#running;
    this.#health.close();
    await this.#sockets?.[Symbol.asyncDispose]();
    await this.#state.identity.close();
    await this.#state.slots[Symbol.asyncDispose]();
    await this.#unix[Symbol.asyncDispose]();
    this.#state.unlock();
    if (this.#running === undefined) this.#ended.resolve({ kind: "closed" });
  }

  /** The machine slept, or its clock was set: what rests on time is looked at anew. */
  #onJump(jumpMs: number): void {
    this.#deps.log({ level: "warn", event: "clock.jumped", fields: { jumpMs } });
    this.#state.identity.recheck();
    this.#keeper.recheck();
    this.#jwtSvids.clear();
    this.#groups.refresh();
    this.#synchroniser.recheck();
  }

  /** The server's clock, as far as it is known. */
  #serverNow(): EpochMs {
    return this.#deps.clock.now() - (this.#clockWatch.offsetMs ?? 0);
  }

  #pauseMsMax(): number {
    return longestPauseMs(this.#keeper.shortestLifeMs);
  }

  #onSynced(): void {
    this.#health.set("", "serving");
    this.#synced.resolve();
    this.#keeper.poke();
    this.#state.identity.pinSoon();
  }
}

/** @throws the refusal of a caller that is not known for certain */
function callerOf({ peer }: CallContext<UnixConnection>): UnixPeer {
  return peer.caller();
}

async function startOf(
  stored: StoredPicture | undefined,
  options: AgentOptions,
  deps: AgentDeps,
  signal: AbortSignal,
): Promise<BootstrapBundle> {
  if (stored !== undefined) return { bundle: stored.bundle, recoveryKey: undefined };
  const { trustDomain, server, bootstrap = { kind: "none" } } = options;
  switch (bootstrap.kind) {
    case "file":
      return readBootstrap(trustDomain, bootstrap.path);
    case "text":
      return parseBootstrap(trustDomain, bootstrap.text);
    case "insecure":
      return {
        bundle: await fetchBundleInsecure(server, trustDomain, deps, { signal }),
        recoveryKey: undefined,
      };
    case "none":
      throw new BonafideError(
        AGENT_ERRORS,
        "BOOTSTRAP_MISSING",
        "the first start needs the server's bundle (bonafide bundle show), or insecure bootstrap for trying out",
      );
    default:
      return bootstrap satisfies never;
  }
}

/**
 * What is pinned, with the recovery key that was given now: as an option, or with the bundle of a first start. That one
 * is on disk before anybody is called, since later starts read no bootstrap bundle.
 */
async function pinsOf(
  { recoveryKey: given, trustDomain }: AgentOptions,
  file: PinFile,
  bootstrapKey: Uint8Array | undefined,
): Promise<Pins | undefined> {
  const pins = await file.read();
  const recoveryKey = given ?? pins?.recoveryKey ?? bootstrapKey;
  if (recoveryKey === undefined) return pins;
  const { spentToken, formerIds = [], bannedId, evictedId } = pins ?? {};
  const next = { trustDomain, spentToken, formerIds, bannedId, evictedId, recoveryKey };
  if (pins?.recoveryKey === undefined) await file.write(next);
  return next;
}

/** Hashing executables costs; nobody pays for it unless an entry asks. */
function wantsSha256(picture: Picture): boolean {
  for (const { selectors } of picture.entries.entries()) {
    if (selectors.some(({ type, value }) => type === "unix" && value.startsWith("sha256:"))) {
      return true;
    }
  }
  return false;
}
