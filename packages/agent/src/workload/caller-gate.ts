import { BonafideError } from "@bonafide/errors";
import type { Clock, Log } from "@bonafide/lifetime";
import type { UnixConnection, UnixPeer } from "@bonafide/unix-peer";
import type { Attestation } from "../attestation/attestation.ts";
import type { Observation, ObservationChange } from "../attestation/observation.ts";
import { because, type CauseDetails, causeOf } from "../cause-details.ts";
import { type Selector, selectorText } from "../core/entry.ts";
import type { CallerFact } from "../core/why/facts.ts";
import type { CallingProcess, Decision, DecisionLog } from "../decision/decision-log.ts";
import { AGENT_ERRORS, type AgentErrorCode } from "../errors.ts";
import { LOOK_AGAIN_MS, LOOKS_BEFORE_PUSH_MAX } from "../limits.ts";
import { callerFactOf } from "./caller-fact.ts";
import { SECURITY_HEADER } from "./header-check.ts";
import type { AskedKey } from "./key-shares.ts";
import type { UidLimits } from "./uid-limits.ts";

/** What a {@link CallerGate} works with. */
export interface CallerGateDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly attestation: Attestation;
  readonly decisions: DecisionLog;
  readonly limits: UidLimits;
}

/** A call that is refused without a look at its caller. */
interface UnseenCall {
  readonly method: string;
  readonly connection: Pick<UnixConnection, "caller">;
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

const HEADER_MISSING = `the header ${SECURITY_HEADER}: true is required, exactly once`;

/** Values of the security header that are remembered of a refused call. */
const HEADER_VALUES_SHOWN = 4;

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
  admit(connection: Pick<UnixConnection, "caller">, method: string): () => void {
    try {
      return this.#deps.limits.openStream(uidOf(connection));
    } catch (error) {
      throw this.#refuseUnseen({ method, connection }, callerFactOf(error), {
        code: "CALLER_LIMIT_EXCEEDED",
        cause: error,
      });
    }
  }

  /**
   * Writes down the refusal of a call without the security header, and words it. One user's are written down as often as
   * its calls may be looked at, and refused beyond that too.
   *
   * @param values  What stood in the header's place.
   * @returns The error to throw.
   */
  refuseHeader(
    connection: Pick<UnixConnection, "caller">,
    method: string,
    values: readonly string[],
  ): BonafideError {
    try {
      this.#deps.limits.takeAttestation(uidOf(connection));
    } catch {
      return new BonafideError(AGENT_ERRORS, "WORKLOAD_HEADER_MISSING", HEADER_MISSING, {
        details: because("protocol.header_missing"),
      });
    }
    const shown = values.slice(0, HEADER_VALUES_SHOWN).map((value) => value.slice(0, 64));
    const caller: CallerFact = { kind: "header_missing", values: shown };
    return this.#refuseUnseen({ method, connection }, caller, {
      code: "WORKLOAD_HEADER_MISSING",
      details: because("protocol.header_missing"),
    });
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
      const code = fact.kind === "too_many" ? "CALLER_LIMIT_EXCEEDED" : "CALLER_NOT_ATTESTED";
      throw this.#refuseUnseen({ method, connection }, fact, { code, cause: error });
    }
  }

  /**
   * Counts the keys that a caller's stream asks for against its user's share.
   *
   * @returns To be called at its end.
   * @throws CALLER_LIMIT_EXCEEDED
   */
  holdKeys(seen: SeenCaller, asked: readonly AskedKey[]): () => void {
    try {
      return this.#deps.limits.holdKeys(seen.peer.uid, asked);
    } catch (error) {
      throw this.refuse(seen, "CALLER_LIMIT_EXCEEDED", { caller: callerFactOf(error) });
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
      const connection = { caller: () => seen.peer };
      throw this.#refuseUnseen({ method: seen.method, connection }, callerFactOf(error), {
        code: "CALLER_NOT_ATTESTED",
        cause: error,
      });
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
    { method, connection }: UnseenCall,
    caller: CallerFact,
    refusal: {
      readonly code: AgentErrorCode;
      readonly cause?: unknown;
      readonly details?: CauseDetails;
    },
  ): BonafideError {
    const peer = processOf(connection);
    const decision = this.#record({
      method,
      outcome: "refused",
      caller,
      observation: undefined,
      ...(peer === undefined ? {} : { peer }),
      spiffeIds: [],
    });
    const cause = causeOf(refusal.cause);
    const details = refusal.details ?? (cause === undefined ? {} : because(cause));
    return this.#error(refusal.code, decision, details, refusal.cause);
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
    const { observation, peer } = whole;
    log({
      level: whole.outcome === "refused" ? "warn" : "info",
      event: `caller.${whole.outcome}`,
      fields: {
        decision: whole.id,
        method: whole.method,
        pid: observation?.pid ?? peer?.pid,
        uid: observation?.uid ?? peer?.uid,
        caller: whole.caller.kind,
        spiffeIds: whole.spiffeIds,
      },
    });
    return whole;
  }
}

/** No user's: of all who are refused as soon as they are looked at. */
const UID_UNKNOWN = -1;

function uidOf(connection: Pick<UnixConnection, "caller">): number {
  return processOf(connection)?.uid ?? UID_UNKNOWN;
}

function processOf({ caller }: Pick<UnixConnection, "caller">): CallingProcess | undefined {
  try {
    const { pid, uid, gid, pin } = caller();
    return { pid, uid, gid, pin };
  } catch {
    return undefined;
  }
}

/** What a refused caller reads. */
const TEXTS: Partial<Readonly<Record<AgentErrorCode, string>>> = {
  WORKLOAD_HEADER_MISSING: HEADER_MISSING,
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
