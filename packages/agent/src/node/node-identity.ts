import { BonafideError, isBonafideError } from "@bonafide/errors";
import { backoffMs, type Clock, type Log, type Random } from "@bonafide/lifetime";
import { type GeneratedKey, generateKey } from "@bonafide/pki";
import type { X509SVID } from "@bonafide/proto/spire/api/types/x509svid_pb";
import type { X509Context, X509ContextSource, X509Svid } from "@bonafide/spiffe";
import { because } from "../cause-details.ts";
import { allExpired } from "../core/bundle.ts";
import { longestPauseMs } from "../core/pauses.ts";
import {
  type Known,
  learn,
  type Lesson,
  lessonOf,
  nextStep,
  nothingKnown,
  type RefusalReason,
  type StandingFacts,
  type Step,
  type StopCause,
  type StopStep,
} from "../core/standing.ts";
import type { StandingFact } from "../core/why/facts.ts";
import type { IdentityFile, StoredIdentity } from "../disk/identity-file.ts";
import type { JoinKey } from "../disk/join-key.ts";
import { AGENT_ERRORS } from "../errors.ts";
import type { Picture } from "../picture/picture.ts";
import { parseAgentSvid } from "../server/parse-svid.ts";
import type { ServerAddress } from "../server/server-link.ts";
import { verifySignedBundle } from "../server/signed-bundle.ts";
import { Wake } from "../wake.ts";
import { parseBundle } from "../wire/parse-bundle.ts";
import type { ClockWatch } from "./clock-watch.ts";
import { NodeCalls } from "./node-calls.ts";
import type { NodePins } from "./node-pins.ts";
import { OwnSvid } from "./own-svid.ts";
import type { ServerLinks } from "./server-links.ts";
import { mismatchOf, standingAt } from "./standing-at.ts";
import { stepFailureOf } from "./step-failure.ts";

/** What a {@link NodeIdentity} works with. */
export interface NodeIdentityDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly picture: Picture;
  readonly identityFile: IdentityFile;
  readonly pins: NodePins;
  readonly joinKey: JoinKey;
  readonly clockWatch: ClockWatch;
}

/** Options of a {@link NodeIdentity}. */
export interface NodeIdentityOptions {
  readonly address: ServerAddress;
  /** For the first start; one that was spent is not tried again. */
  readonly joinToken: string | undefined;
}

/** First pause after a failed step, ms. */
const RETRY_FIRST_MS = 500;

/**
 * The agent's own SVID: joins, renews at half life, comes back after expiry, and stops when only a person can help.
 *
 * A source for TLS: connections present the SVID of the moment and trust the bundle of the moment.
 */
export class NodeIdentity implements X509ContextSource {
  readonly #deps: NodeIdentityDeps;
  readonly #options: NodeIdentityOptions;
  readonly #own: OwnSvid;
  readonly #wake: Wake;
  readonly #calls: NodeCalls;
  #known: Known = nothingKnown;
  #standing: StandingFact = { kind: "not_attested", detail: "it has not tried yet" };

  constructor(deps: NodeIdentityDeps, options: NodeIdentityOptions) {
    this.#deps = deps;
    this.#options = options;
    const { picture, clock } = deps;
    this.#own = new OwnSvid(deps);
    this.#wake = new Wake(clock);
    this.#calls = new NodeCalls({
      clock,
      trustDomain: picture.trustDomain,
      address: options.address,
      source: this,
      onRefused: (reason) => {
        this.refused(reason);
      },
    });
    picture.onChange((change) => {
      if (change.bundle) this.#wake.wake();
    });
  }

  context(): X509Context {
    return this.#own.context();
  }

  updates(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<X509Context> {
    return this.#own.updates(options);
  }

  /** Connections under the agent's SVID. */
  get links(): ServerLinks {
    return this.#calls.links;
  }

  get standing(): StandingFact {
    return this.#standing;
  }

  get svid(): X509Svid | undefined {
    return this.#own.svid;
  }

  /** IDs that this node had before. */
  get formerIds(): readonly string[] {
    return this.#deps.pins.formerIds;
  }

  get reattestable(): boolean {
    return this.#own.reattestable;
  }

  /** Whether there is an SVID to speak with now. */
  get isValid(): boolean {
    return this.#own.isValid;
  }

  /** Takes the SVID that an earlier run left. */
  restore(stored: StoredIdentity): void {
    this.#own.take(stored);
    if (this.isValid) this.#standing = { kind: "good" };
  }

  /** Resolves once there is a valid SVID. @throws the signal's reason */
  async whenValid(signal: AbortSignal): Promise<void> {
    for await (const _ of this.updates({ signal })) if (this.isValid) return;
    signal.throwIfAborted();
  }

  /** Told by whoever called the server and was refused as this agent. */
  refused(reason: RefusalReason): void {
    this.#knows({ refusal: reason });
    this.#wake.wake();
  }

  /** Told by whoever could not verify the server under the bundle. */
  serverUnverified(): void {
    this.#knows({ serverUnverified: true });
    this.#wake.wake();
  }

  /** Renews at once, after the clocks went apart. */
  recheck(): void {
    this.#own.dueNow();
    this.#wake.wake();
  }

  /** Told after a call under the SVID succeeded. */
  confirmed(): void {
    this.#knows({ serverUnverified: false });
    if (this.isValid) this.#standing = { kind: "good" };
  }

  /** Told when the server was heard of: a good moment to learn its recovery key. */
  pinSoon(): void {
    if (this.#deps.pins.recoveryKey !== undefined || !this.#known.canSignBundle) return;
    this.#knows({ pinWanted: true });
    this.#wake.wake();
  }

  /**
   * Keeps the SVID usable until the signal aborts.
   *
   * @param pauseMsMax  Longest pause after failures that the workloads' SVIDs allow, ms.
   * @throws AGENT_STOPPED when only a person can help
   */
  async run(signal: AbortSignal, pauseMsMax: () => number): Promise<void> {
    let failures = 0;
    for (;;) {
      signal.throwIfAborted();
      const next = nextStep(this.#facts());
      if (next.kind === "wait") {
        await this.#wake.wait(next.ms, signal);
        continue;
      }
      try {
        await this.#perform(next, signal);
        failures = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (isBonafideError(error, "AGENT_STOPPED")) throw error;
        failures++;
        await this.#afterFailure(next, error, signal);
        const maxMs = Math.min(pauseMsMax(), longestPauseMs(this.#own.lifeMs));
        const pause = { firstMs: RETRY_FIRST_MS, maxMs };
        const ms = backoffMs(failures, this.#deps.random.fraction(), pause);
        await this.#deps.clock.sleep(ms, { signal });
      }
    }
  }

  /** Ends all connections. Idempotent. */
  async close(): Promise<void> {
    await this.#calls.close();
    this.#own.close();
  }

  #facts(): StandingFacts {
    const { clock, picture, pins } = this.#deps;
    return {
      known: this.#known,
      svid: this.#own.facts,
      token: this.#token(),
      wasBanned: pins.bannedId !== undefined,
      hasRecoveryKey: pins.recoveryKey !== undefined,
      bundleEnded: allExpired(picture.bundle.x509, clock.now()),
      keepAtMs: this.#own.keepAtMs,
      monotonicMs: clock.monotonicMs(),
    };
  }

  #token(): StandingFacts["token"] {
    const { joinToken } = this.#options;
    if (joinToken === undefined) return "none";
    return this.#deps.pins.isSpent(joinToken) ? "spent" : "fresh";
  }

  #knows(more: Partial<Known>): void {
    this.#known = { ...this.#known, ...more };
  }

  #perform(step: Step, signal: AbortSignal): Promise<void> {
    switch (step.kind) {
      case "reattest":
        return this.#join(signal);
      case "renew":
        return this.#renew(signal);
      case "recover":
        return this.#recover(step, signal);
      case "bundle":
        return this.#takeSignedBundle(signal);
      case "mismatch":
        this.#knows({ serverUnverified: false });
        return this.#saysMismatch(step, signal);
      case "pin":
        return this.#pinRecoveryKey(signal);
      case "keep":
        return this.#own.writeAgain();
      case "stop":
        return this.#stop(step);
      default:
        return step satisfies never;
    }
  }

  async #stop({ cause, deleteSvid }: StopStep): Promise<never> {
    if (deleteSvid) {
      await this.#deps.pins.leaving(this.svid?.id, { ban: cause === "agent.banned" });
      await this.#deps.identityFile.remove();
    }
    this.#standing = this.#standingAt(cause);
    throw stopped(cause);
  }

  #standingAt(cause: StopCause): StandingFact {
    const canReattest = this.#token() === "fresh";
    const own = { notAfter: this.svid?.notAfter ?? 0, canReattest };
    return standingAt(cause, this.#standing, { ...own, bannedId: this.#deps.pins.bannedId });
  }

  async #join(signal: AbortSignal): Promise<void> {
    const { joinToken: token } = this.#options;
    if (token === undefined) throw stopped("agent.not_attested");
    const key = await this.#deps.joinKey.begin();
    const before = this.svid?.id;
    const { svid, reattestable } = await this.#calls.join(token, key, { signal });
    const { id } = await this.#keep(svid, key, reattestable);
    await this.#deps.pins.joined(token, id, before);
    // Without an SVID on disk the key is what a restart would join with again.
    if (this.#own.keepAtMs === undefined) await this.#deps.joinKey.end();
    this.#deps.log({ level: "info", event: "agent.joined", fields: { id } });
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const key = generateKey("ec-p256");
    const svid = await this.#calls.renew(key, { signal });
    const { id, notAfter } = await this.#keep(svid, key, this.reattestable);
    this.#deps.log({ level: "info", event: "agent.renewed", fields: { id, notAfter } });
  }

  async #recover(
    { bundleFirst }: Step & { readonly kind: "recover" },
    signal: AbortSignal,
  ): Promise<void> {
    const { picture, log } = this.#deps;
    const expired = this.svid;
    if (expired === undefined) return;
    if (bundleFirst) await this.#takeSignedBundle(signal);
    const key = generateKey("ec-p256");
    const result = await this.#calls.recover(expired, key, { signal });
    if (result.bundle !== undefined) {
      picture.adoptBundle(parseBundle(result.bundle, picture.trustDomain));
    }
    const { id } = await this.#keep(result.svid, key, result.reattestable);
    const fields = { id, expiredAt: expired.notAfter };
    log({ level: "info", event: "agent.recovered", fields });
  }

  /** Takes a newer bundle from a server that nothing verifies, only under the pinned recovery key. */
  async #takeSignedBundle(signal: AbortSignal): Promise<void> {
    const { picture, log, pins } = this.#deps;
    const { recoveryKey } = pins;
    this.#knows({ serverUnverified: false });
    if (recoveryKey === undefined) return;
    const signed = await this.#calls.fetchSignedBundleInsecure({ signal });
    const bundle = verifySignedBundle(signed, {
      trustDomain: picture.trustDomain,
      key: recoveryKey,
      sequence: picture.bundle.sequence,
    });
    picture.adoptBundle(bundle);
    const fields = { sequence: String(bundle.sequence) };
    log({ level: "warn", event: "agent.bundle_recovered", fields });
  }

  /** Learns the recovery key from a verified server, once; a server without one is not asked again. */
  async #pinRecoveryKey(signal: AbortSignal): Promise<void> {
    this.#knows({ pinWanted: false });
    const { log, pins } = this.#deps;
    try {
      const key = await this.#calls.fetchRecoveryKey({ signal });
      this.#knows({ canSignBundle: key !== undefined });
      if (key === undefined) return;
      await pins.pinRecoveryKey(key);
      const fields = { key: Buffer.from(key).toString("hex") };
      log({ level: "info", event: "agent.recovery_key_pinned", fields });
    } catch (error) {
      signal.throwIfAborted();
      log({ level: "warn", event: "agent.recovery_key_missing", error });
    }
  }

  async #keep(
    svid: X509SVID | undefined,
    key: Pick<GeneratedKey, "privateKey">,
    reattestable: boolean,
  ): Promise<X509Svid> {
    const { clock, picture } = this.#deps;
    const receivedAt = clock.now();
    const parsed = parseAgentSvid(svid, {
      privateKey: key.privateKey,
      bundle: picture.bundle,
      now: receivedAt,
    });
    const stored: StoredIdentity = { svid: parsed, receivedAt, reattestable };
    await this.#own.write(stored);
    this.#knows({ refusal: undefined, serverUnverified: false, canRecover: true });
    this.#own.take(stored);
    this.#standing = { kind: "good" };
    return parsed;
  }

  /** Says by what the server does not fit. @throws AGENT_STOPPED */
  async #saysMismatch({ stop }: { readonly stop: boolean }, signal: AbortSignal): Promise<void> {
    this.#standing = mismatchOf(
      this.#deps.picture.bundle.x509,
      await this.#calls.presentedAuthorityInsecure({ signal }),
    );
    if (stop) throw stopped("agent.bundle_mismatch");
  }

  /** Learns from a failed step what the next one is. @throws AGENT_STOPPED */
  async #afterFailure(step: Step, error: unknown, signal: AbortSignal): Promise<void> {
    const { log, clock, clockWatch } = this.#deps;
    log({ level: "warn", event: `agent.${step.kind}_failed`, error });
    if (isBonafideError(error, "CLOCK_SKEWED")) {
      clockWatch.measure(clock.now(), Number(error.details["serverTime"]));
    }
    const lesson = lessonOf(step.kind, stepFailureOf(error), this.#facts());
    this.#known = learn(this.#known, lesson);
    await this.#say(lesson, signal);
  }

  /** Says what a lesson means for the agent. @throws AGENT_STOPPED */
  async #say(lesson: Lesson, signal: AbortSignal): Promise<void> {
    switch (lesson.kind) {
      case "retry":
      case "refused":
        return;
      case "clock_behind":
        this.#standing = {
          kind: "not_attested",
          detail: "the server's certificate begins later than this node's clock says it is",
        };
        return;
      case "unverified":
        return this.#saysMismatch(lesson, signal);
      case "no_recovery":
        this.#standing = this.#standingAt("agent.svid_expired");
        return;
      case "no_token":
        await this.#deps.joinKey.end();
        this.#standing = this.#standingAt(lesson.cause);
        throw stopped(lesson.cause);
      default:
        lesson satisfies never;
    }
  }
}

function stopped(cause: StopCause): BonafideError {
  return new BonafideError(AGENT_ERRORS, "AGENT_STOPPED", `the agent has to stop: ${cause}`, {
    details: because(cause),
  });
}
