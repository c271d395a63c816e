import { BonafideError } from "@bonafide/errors";
import type { Clock } from "@bonafide/lifetime";
import type { UnixConnection, UnixPeer } from "@bonafide/unix-peer";
import type { Attestation } from "../attestation/attestation.ts";
import type { Observation, ObservationChange } from "../attestation/observation.ts";
import { type Selector, selectorText } from "../core/entry.ts";
import type { CallerFact } from "../core/why/facts.ts";
import type { Decision, DecisionLog } from "../decision/decision-log.ts";
import { AGENT_ERRORS, type AgentErrorCode } from "../errors.ts";
import { LOOK_AGAIN_MS, LOOKS_BEFORE_PUSH_MAX } from "../limits.ts";
import type { Log } from "../log.ts";
import { callerFactOf } from "./caller-fact.ts";
import type { UidLimits } from "./uid-limits.ts";

/** What a {@link CallerGate} works with. */
export interface CallerGateDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly attestation: Attestation;
  readonly decisions: DecisionLog;
  readonly limits: UidLimits;
}

/** A caller that was looked at. */
export interface SeenCaller {
  readonly peer: UnixPeer;
  /** The last look. */
  readonly observation: Observation;
  /** All that was ever seen of it: what the next look is compared with. */
  readonly known: Observation;
  /** Full name of the method it called. */
  readonly method: string;
}

/** Longest list of the caller's own selectors in a refusal, characters. */
const SELECTORS_SHOWN_MAX = 1500;

/**
 * Looks at every caller, writes down every decision, and words every refusal: its code, the caller's own selectors and
 * the decision's id, and nothing of anybody else (ADR-0073).
 */
export class CallerGate {
  readonly #deps: CallerGateDeps;

  constructor(deps: CallerGateDeps) {
    this.#deps = deps;
  }

  /**
   * Counts a call of any service against its user's share, before anything of its request is kept. Callers that the
   * kernel could not tell apart share one.
   *
   * @returns To be called at its end.
   * @throws CALLER_LIMIT_EXCEEDED
   */
  admit(connection: UnixConnection, method: string): () => void {
    try {
      return this.#deps.limits.openStream(uidOf(connection));
    } catch (error) {
      throw this.#refuseUnseen(method, callerFactOf(error), "CALLER_LIMIT_EXCEEDED", error);
    }
  }

  /** @throws CALLER_NOT_ATTESTED, CALLER_LIMIT_EXCEEDED */
  async look(
    connection: Pick<UnixConnection, "caller">,
    method: string,
    options: { readonly signal: AbortSignal },
  ): Promise<SeenCaller> {
    const { attestation, limits } = this.#deps;
    let peer: UnixPeer | undefined;
    try {
      peer = connection.caller();
      limits.takeAttestation(peer.uid);
      const observation = await attestation.observe(peer, options);
      return { peer, observation, known: observation, method };
    } catch (error) {
      options.signal.throwIfAborted();
      const fact = callerFactOf(error);
      if (fact.kind === "too_many")
        throw this.#refuseUnseen(method, fact, "CALLER_LIMIT_EXCEEDED", error);
      throw this.#refuseUnseen(method, fact, "CALLER_NOT_ATTESTED", error);
    }
  }

  /**
   * Looks again before a push. What the push rests on must be seen again now: a fact that is only not to be had at the
   * moment is waited for, a little, and not taken for granted.
   *
   * @param restsOn  Selectors of the entries whose identities are about to be sent.
   * @throws CALLER_CHANGED, CALLER_NOT_ATTESTED
   */
  async lookAgain(
    seen: SeenCaller,
    restsOn: readonly Selector[],
    options: { readonly signal: AbortSignal },
  ): Promise<SeenCaller> {
    let last = seen;
    for (let looks = 1; ; looks++) {
      last = await this.#reobserve(last, options);
      if (holdsAll(last.observation, restsOn)) return last;
      if (looks >= LOOKS_BEFORE_PUSH_MAX) throw this.refuse(last, "CALLER_NOT_ATTESTED");
      await this.#deps.clock.sleep(LOOK_AGAIN_MS, options);
    }
  }

  async #reobserve(
    seen: SeenCaller,
    options: { readonly signal: AbortSignal },
  ): Promise<SeenCaller> {
    const { attestation } = this.#deps;
    let again: Awaited<ReturnType<Attestation["reobserve"]>>;
    try {
      again = await attestation.reobserve(seen.peer, seen.known, options);
    } catch (error) {
      options.signal.throwIfAborted();
      throw this.#refuseUnseen(seen.method, callerFactOf(error), "CALLER_NOT_ATTESTED", error);
    }
    const { observation } = again;
    if (again.kind === "same") return { ...seen, observation, known: again.known };
    const caller: CallerFact = { kind: "facts_changed", detail: describe(again.changes) };
    throw this.refuse({ ...seen, observation }, "CALLER_CHANGED", { caller });
  }

  /** Writes down that a caller was served. */
  served(seen: SeenCaller, spiffeIds: readonly string[]): Decision {
    return this.#record({
      method: seen.method,
      outcome: "served",
      caller: { kind: "seen" },
      observation: seen.observation,
      spiffeIds,
    });
  }

  /** Writes down a refusal and words it. @returns The error to throw. */
  refuse(
    seen: SeenCaller,
    code: AgentErrorCode,
    why: { readonly caller?: CallerFact; readonly signingFailure?: string } = {},
  ): BonafideError {
    const { signingFailure } = why;
    const decision = this.#record({
      method: seen.method,
      outcome: "refused",
      caller: why.caller ?? { kind: "seen" },
      observation: seen.observation,
      spiffeIds: [],
      ...(signingFailure === undefined ? {} : { signingFailure }),
    });
    const selectors = seen.observation.selectors.map((each) => selectorText(each)).join(", ");
    return this.#error(code, decision, { selectors: selectors.slice(0, SELECTORS_SHOWN_MAX) });
  }

  #refuseUnseen(
    method: string,
    caller: CallerFact,
    code: AgentErrorCode,
    cause: unknown,
  ): BonafideError {
    const decision = this.#record({
      method,
      outcome: "refused",
      caller,
      observation: undefined,
      spiffeIds: [],
    });
    return this.#error(code, decision, {}, cause);
  }

  #error(
    code: AgentErrorCode,
    decision: Decision,
    details: Readonly<Record<string, string>>,
    cause?: unknown,
  ): BonafideError {
    const text = `${TEXTS[code] ?? "refused"} (decision ${decision.id}; the node's operator can ask: bonafide why ${decision.id})`;
    return new BonafideError(AGENT_ERRORS, code, text, {
      cause,
      details: { decision: decision.id, ...details },
    });
  }

  #record(decision: Omit<Decision, "id" | "at">): Decision {
    const { decisions, clock, log } = this.#deps;
    const whole: Decision = { ...decision, id: decisions.newId(), at: clock.now() };
    decisions.record(whole);
    const { observation } = whole;
    log(whole.outcome === "refused" ? "warn" : "info", `caller.${whole.outcome}`, {
      decision: whole.id,
      method: whole.method,
      pid: observation?.pid,
      uid: observation?.uid,
      caller: whole.caller.kind,
      spiffeIds: whole.spiffeIds,
    });
    return whole;
  }
}

/** No user's: of all who are refused as soon as they are looked at. */
const UID_UNKNOWN = -1;

function uidOf(connection: UnixConnection): number {
  try {
    return connection.caller().uid;
  } catch {
    return UID_UNKNOWN;
  }
}

/** What a refused caller reads. */
const TEXTS: Partial<Readonly<Record<AgentErrorCode, string>>> = {
  NO_IDENTITY_ISSUED: "no identity issued",
  CALLER_CHANGED: "the calling process changed while its stream was open",
  CALLER_NOT_ATTESTED: "the calling process could not be attested",
  AGENT_NOT_READY: "the agent has no valid identity for the caller yet",
  CALLER_LIMIT_EXCEEDED: "too many calls or streams of this user",
};

function holdsAll({ selectors }: Observation, wanted: readonly Selector[]): boolean {
  const seen = new Set(selectors.map((selector) => selectorText(selector)));
  return wanted.every((selector) => seen.has(selectorText(selector)));
}

function describe(changes: readonly ObservationChange[]): string {
  return changes
    .slice(0, 10)
    .map((change) => `${change.kind}: ${selectorText(change)}`)
    .join(", ");
}
