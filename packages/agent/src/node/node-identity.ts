import { isBonafideError } from "@bonafide/errors";
import { backoffMs, type Clock, type Log, type Random } from "@bonafide/lifetime";
import type { NodeProver } from "@bonafide/plugin-api";
import type { X509Context, X509ContextSource, X509Svid } from "@bonafide/spiffe";
import { allExpired } from "../core/bundle.ts";
import { FIRST_PAUSE_MS, longestPauseMs, STEPS_IN_A_ROW_MAX } from "../core/pauses.ts";
import {
  learn,
  type Lesson,
  lessonOf,
  nextStep,
  type RefusalReason,
  type StandingFacts,
  type Step,
} from "../core/standing.ts";
import type { StandingFact } from "../core/why/facts.ts";
import type { IdentityFile, StoredIdentity } from "../disk/identity-file.ts";
import type { JoinKey } from "../disk/join-key.ts";
import type { AuthorityTerms } from "../picture/authority-terms.ts";
import type { Picture } from "../picture/picture.ts";
import type { ServerAddress } from "../server/server-link.ts";
import { Wake } from "../wake.ts";
import type { ClockWatch } from "./clock-watch.ts";
import { NodeCalls } from "./node-calls.ts";
import type { NodePins } from "./node-pins.ts";
import { NodeStanding } from "./node-standing.ts";
import { NodeSteps } from "./node-steps.ts";
import { OwnSvid } from "./own-svid.ts";
import type { ServerLinks } from "./server-links.ts";
import { stepFailureOf } from "./step-failure.ts";

/** What a {@link NodeIdentity} works with. */
export interface NodeIdentityDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly picture: Picture;
  readonly terms: AuthorityTerms;
  readonly identityFile: IdentityFile;
  readonly pins: NodePins;
  readonly joinKey: JoinKey;
  readonly clockWatch: ClockWatch;
  /** By what the node proves itself as often as it is asked; undefined: by join tokens only. */
  readonly prover?: NodeProver | undefined;
}

/** Options of a {@link NodeIdentity}. */
export interface NodeIdentityOptions {
  readonly address: ServerAddress;
  /** For the first start; one that was spent is not tried again. */
  readonly joinToken: string | undefined;
}

const PROOF_REFUSED = "the server did not take the node's proof; its log says why";

/**
 * The agent's own SVID: joins, renews at half life, comes back after expiry, and stops when only a person can help.
 *
 * A source for TLS: connections present the SVID of the moment and trust the bundle of the moment.
 */
export class NodeIdentity implements X509ContextSource {
  readonly #deps: NodeIdentityDeps;
  readonly #own: OwnSvid;
  readonly #wake: Wake;
  readonly #calls: NodeCalls;
  readonly #steps: NodeSteps;
  readonly #standing: NodeStanding = new NodeStanding();

  constructor(deps: NodeIdentityDeps, options: NodeIdentityOptions) {
    this.#deps = deps;
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
    this.#steps = new NodeSteps({
      ...deps,
      own: this.#own,
      calls: this.#calls,
      standing: this.#standing,
      prover: deps.prover,
      joinToken: options.joinToken,
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
    return this.#standing.fact;
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
    if (this.isValid) this.#standing.says({ kind: "good" });
  }

  /** Resolves once there is a valid SVID. @throws the signal's reason */
  async whenValid(signal: AbortSignal): Promise<void> {
    for await (const _ of this.updates({ signal })) if (this.isValid) return;
    signal.throwIfAborted();
  }

  /** Told by whoever called the server and was refused as this agent. */
  refused(reason: RefusalReason): void {
    this.#standing.knows({ refusal: reason });
    this.#wake.wake();
  }

  /** Told by whoever could not verify the server under the bundle. */
  serverUnverified(): void {
    this.#standing.knows({ serverUnverified: true });
    this.#wake.wake();
  }

  /** Renews at once, after the clocks went apart. */
  recheck(): void {
    this.#own.dueNow();
    this.#wake.wake();
  }

  /** Told after a call under the SVID succeeded. */
  confirmed(): void {
    this.#standing.knows({ serverUnverified: false });
    if (this.isValid) this.#standing.says({ kind: "good" });
  }

  /** Told when the server was heard of: a good moment to learn its recovery key. */
  pinSoon(): void {
    if (this.#deps.pins.recoveryKey !== undefined || !this.#standing.known.canSignBundle) return;
    this.#standing.knows({ pinWanted: true });
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
    let steps = 0;
    for (;;) {
      signal.throwIfAborted();
      const next = nextStep(this.#facts());
      if (next.kind === "wait") {
        failures = 0;
        steps = 0;
        await this.#wake.wait(next.ms, signal);
        continue;
      }
      steps++;
      try {
        await this.#steps.perform(next, signal);
        if (steps <= STEPS_IN_A_ROW_MAX) continue;
        // Each went well and none helped: an answer that is of no use must not be asked for without end.
        this.#sayUnsettled(next, steps);
      } catch (error) {
        signal.throwIfAborted();
        if (isBonafideError(error, "AGENT_STOPPED")) throw error;
        await this.#afterFailure(next, error, signal);
      }
      failures++;
      const maxMs = Math.min(pauseMsMax(), longestPauseMs(this.#own.lifeMs));
      const pause = { firstMs: FIRST_PAUSE_MS.identity, maxMs };
      const ms = backoffMs(failures, this.#deps.random.fraction(), pause);
      await this.#deps.clock.sleep(ms, { signal });
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
      known: this.#standing.known,
      svid: this.#own.facts,
      token: this.#steps.token,
      reattests: this.#steps.reattests,
      lost: pins.loss?.kind,
      hasRecoveryKey: pins.recoveryKey !== undefined,
      bundleEnded: allExpired(picture.bundle.x509, clock.now()),
      keepAtMs: this.#own.keepAtMs,
      monotonicMs: clock.monotonicMs(),
    };
  }

  #sayUnsettled(step: Step, steps: number): void {
    const fields = { step: step.kind, steps, hint: "compare this node's clock with the server's" };
    this.#deps.log({ level: "warn", event: "agent.unsettled", fields });
  }

  /** Learns from a failed step what the next one is. @throws AGENT_STOPPED */
  async #afterFailure(step: Step, error: unknown, signal: AbortSignal): Promise<void> {
    const { log, clock, clockWatch } = this.#deps;
    log({ level: "warn", event: `agent.${step.kind}_failed`, error });
    if (isBonafideError(error, "CLOCK_SKEWED")) {
      clockWatch.measure(clock.now(), Number(error.details["serverTime"]));
    }
    const lesson = lessonOf(step.kind, stepFailureOf(error), this.#facts());
    this.#standing.knows(learn(this.#standing.known, lesson));
    await this.#say(lesson, signal);
  }

  /** Says what a lesson means for the agent. @throws AGENT_STOPPED */
  async #say(lesson: Lesson, signal: AbortSignal): Promise<void> {
    switch (lesson.kind) {
      case "retry":
      case "refused":
        return;
      case "clock_off":
        this.#standing.says(lesson);
        return;
      case "proof_refused":
        if (!this.isValid) this.#standing.says({ kind: "not_attested", detail: PROOF_REFUSED });
        return;
      case "unverified":
        return this.#steps.saysMismatch(lesson, signal);
      case "no_recovery":
        this.#standing.says(this.#steps.standingAt("agent.svid_expired"));
        return;
      case "no_token":
        return this.#steps.giveUpToken(lesson.cause);
      default:
        lesson satisfies never;
    }
  }
}
