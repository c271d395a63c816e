import { isBonafideError } from "@bonafide/errors";
import type { Clock, EpochMs, Log, Random } from "@bonafide/lifetime";
import { RpcError } from "@bonafide/rpc";
import { firstSyncState, nextSync, type SyncMode, type SyncOutcome } from "../core/sync-plan.ts";
import type { Picture } from "../picture/picture.ts";
import { pollPicture } from "../server/poll.ts";
import { watchPicture } from "../server/push.ts";
import { Wake } from "../wake.ts";
import { entriesDigest } from "../wire/entries-digest.ts";
import type { ClockWatch } from "./clock-watch.ts";
import type { NodeIdentity } from "./node-identity.ts";
import { PushStreams, type ReadStream } from "./push-streams.ts";
import { isUnknownAuthority } from "./step-failure.ts";

/** What a {@link Synchroniser} works with. */
export interface SynchroniserDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly picture: Picture;
  readonly identity: NodeIdentity;
  readonly clockWatch: ClockWatch;
  /** Longest pause after failures that the SVIDs held allow, ms. */
  readonly pauseMsMax: () => number;
  /** Called after each round that brought news of the server, changed or not. */
  readonly onSynced: () => void;
}

/** Options of a {@link Synchroniser}. */
export interface SynchroniserOptions {
  /** Pause between polls of a server that does not push, ms. */
  readonly pollIntervalMs: number;
  readonly agentVersion: string;
}

/** So often in a row a new stream may be overtaken by the one before; then that one ends first. */
const OVERTAKEN_MAX = 3;

/** Keeps the picture fresh: by push, or by polling a server that knows no push. */
export class Synchroniser {
  readonly #deps: SynchroniserDeps;
  readonly #options: SynchroniserOptions;
  #mode: SyncMode = "push";
  #lastSyncAt: EpochMs | undefined;
  #awaySince: EpochMs | undefined;
  #digestAgrees = true;
  readonly #streams = new PushStreams();
  /** Streams in a row whose first update another one had overtaken. */
  #overtaken = 0;
  readonly #wake: Wake;
  #rotated: AbortController | undefined;

  constructor(deps: SynchroniserDeps, options: SynchroniserOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#wake = new Wake(deps.clock);
  }

  get mode(): SyncMode {
    return this.#mode;
  }

  /** When the server was heard of last; undefined for never in this run. */
  get lastSyncAt(): EpochMs | undefined {
    return this.#lastSyncAt;
  }

  /** Since when the server has not answered; undefined while it does. */
  get awaySince(): EpochMs | undefined {
    return this.#awaySince;
  }

  /** Asks the server anew, at once, and for its time: after the clocks went apart. */
  recheck(): void {
    this.#rotated?.abort();
    this.#wake.wake();
  }

  /** Synchronises until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#rounds(signal);
    } finally {
      await this.#streams.close();
    }
  }

  async #rounds(signal: AbortSignal): Promise<never> {
    const { clock, random, identity, pauseMsMax } = this.#deps;
    let state = firstSyncState;
    for (;;) {
      await identity.whenValid(signal);
      this.#mode = state.mode;
      const outcome = await this.#round(state.mode, signal);
      signal.throwIfAborted();
      const next = nextSync(state, outcome, {
        monotonicMs: clock.monotonicMs(),
        fraction: random.fraction(),
        pollIntervalMs: this.#options.pollIntervalMs,
        pauseMsMax: pauseMsMax(),
      });
      ({ state } = next);
      await this.#wake.wait(next.waitMs, signal);
    }
  }

  async #round(mode: SyncMode, signal: AbortSignal): Promise<SyncOutcome> {
    const { log, identity, clock } = this.#deps;
    try {
      if (mode === "push") return await this.#push(signal);
      await this.#poll(signal);
      return { kind: "done" };
    } catch (error) {
      signal.throwIfAborted();
      if (mode === "push" && error instanceof RpcError && error.status === "unimplemented") {
        log({
          level: "info",
          event: "sync.polling",
          fields: { reason: "the server does not push" },
        });
        return { kind: "unimplemented" };
      }
      if (this.#awaySince === undefined) {
        this.#awaySince = clock.now();
        log({ level: "warn", event: "sync.failed", fields: { mode }, error });
      }
      if (isUnknownAuthority(error)) identity.serverUnverified();
      const retryAfterMs = isBonafideError(error) ? error.retryAfterMs : undefined;
      return { kind: "failed", ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    }
  }

  /** One stream, until it ends or another SVID is there to open the next one with. */
  async #push(signal: AbortSignal): Promise<SyncOutcome> {
    const rotated = new AbortController();
    this.#rotated = rotated;
    const over = new AbortController();
    const following = this.#awaitRotation(rotated, AbortSignal.any([signal, over.signal]));
    if (this.#overtaken >= OVERTAKEN_MAX) this.#streams.endStanding();
    try {
      const read: ReadStream = (deliver, ending) => this.#read(deliver, ending);
      const how = await this.#streams.follow(read, rotated.signal, signal);
      return { kind: how === "rotated" || this.#overtaken > 0 ? "rotated" : "done" };
    } finally {
      over.abort();
      await following;
    }
  }

  async #awaitRotation(rotated: AbortController, signal: AbortSignal): Promise<void> {
    const { identity } = this.#deps;
    const { svid } = identity;
    for await (const context of identity.updates({ signal })) {
      if (context.svid !== svid) rotated.abort();
    }
  }

  async #read(deliver: () => boolean, signal: AbortSignal): Promise<void> {
    const { identity, picture, clock, clockWatch } = this.#deps;
    const claim = { digest: this.#digestAgrees, agentVersion: this.#options.agentVersion };
    let sentAt = clock.now();
    await identity.links.use(async (link) => {
      let claimed: number | undefined = picture.version;
      for await (const pushed of watchPicture(link, picture, claim, { signal })) {
        // What the stream before brought since was not claimed: this update may lack it. Ask again.
        if (claimed !== undefined && claimed !== picture.version) {
          this.#overtaken++;
          return;
        }
        claimed = undefined;
        if (!deliver()) return;
        this.#overtaken = 0;
        clockWatch.measure(sentAt, pushed.serverTime);
        picture.adopt(pushed.update);
        this.#synced();
        this.#compare(pushed.digest);
        if (!this.#digestAgrees) return;
        sentAt = Number.POSITIVE_INFINITY;
      }
    });
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { identity, picture } = this.#deps;
    this.#streams.endStanding();
    const update = await identity.links.use((link) => pollPicture(link, picture, { signal }));
    picture.adopt(update);
    this.#synced();
  }

  #compare(digest: Uint8Array | undefined): void {
    const { picture, log } = this.#deps;
    if (digest === undefined) return;
    const own = entriesDigest(picture.entries.entries());
    this.#digestAgrees = Buffer.compare(own, digest) === 0;
    if (this.#digestAgrees) return;
    log({ level: "warn", event: "sync.digest_differs", fields: { entries: picture.entries.size } });
  }

  #synced(): void {
    const { clock, identity, log, onSynced, picture } = this.#deps;
    if (this.#awaySince !== undefined || this.#lastSyncAt === undefined) {
      const fields = { mode: this.#mode, entries: picture.entries.size };
      log({ level: "info", event: "sync.fresh", fields });
    }
    this.#awaySince = undefined;
    this.#lastSyncAt = clock.now();
    identity.confirmed();
    onSynced();
  }
}
