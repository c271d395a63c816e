import type { RotationPlan } from "./rotation.ts";

/** What a server says to an agent that it refuses (PermissionDeniedDetails). */
export type RefusalReason =
  | "AGENT_EXPIRED"
  | "AGENT_NOT_ACTIVE"
  | "AGENT_NOT_ATTESTED"
  | "AGENT_MUST_REATTEST"
  | "AGENT_BANNED";

/** Why an agent ends: what only a person can mend. */
export type StopCause =
  | "agent.banned"
  | "agent.bundle_mismatch"
  | "agent.evicted"
  | "agent.not_attested"
  | "agent.svid_expired"
  | "agent.token_refused"
  | "agent.token_used"
  | "agent.trust_domain_mismatch";

/** How a node lost its last SVID: by whose word it may not have another one as it is. */
export type Loss = "banned" | "evicted";

/** What calls taught the agent about its server, until it has acted on it. */
export interface Known {
  /** How it was refused; undefined when it was not, or has an SVID of later. */
  readonly refusal: RefusalReason | undefined;
  /** The bundle did not verify whoever answered as the server. */
  readonly serverUnverified: boolean;
  /** False once the server said that it will not take the expired SVID. */
  readonly canRecover: boolean;
  /** False once the server said that it signs no bundles. */
  readonly canSignBundle: boolean;
  /** The recovery key is to be learned. */
  readonly pinWanted: boolean;
}

/** Before the first call. */
export const nothingKnown: Known = {
  refusal: undefined,
  serverUnverified: false,
  canRecover: true,
  canSignBundle: true,
  pinWanted: false,
};

/** The agent's own SVID, as far as its next step depends on it. */
export interface OwnSvidFacts {
  readonly plan: RotationPlan;
  /** Whether an authority in the bundle signed it; that of a tainted one is due earlier. */
  readonly hasGoodAuthority: boolean;
}

/** All that an agent's next step depends on. */
export interface StandingFacts {
  readonly known: Known;
  readonly svid: OwnSvidFacts | undefined;
  /**
   * By what it can come in: nothing, a join token not tried yet, the one that it came in by, or a proof that holds as
   * often as it is asked for.
   */
  readonly token: "none" | "fresh" | "spent" | "proof";
  /** Whether the server takes the proof again instead of renewing the SVID at hand. */
  readonly reattests: boolean;
  /** What took its last SVID, in this run or an earlier one; undefined: nothing did, or it joined since. */
  readonly lost: Loss | undefined;
  /** Whether the key that signs bundles for recovery was learned or given. */
  readonly hasRecoveryKey: boolean;
  /** Whether every authority of the bundle has ended. */
  readonly bundleEnded: boolean;
  /** When an SVID that the disk had no room for is to be written again, monotonic ms; undefined: nothing is owed. */
  readonly keepAtMs: number | undefined;
  readonly monotonicMs: number;
}

/** Nothing helps but a person. */
export interface StopStep {
  readonly kind: "stop";
  readonly cause: StopCause;
  readonly deleteSvid: boolean;
}

/** What an agent does next. */
export type Step =
  /** Attest as at the first start. */
  | { readonly kind: "reattest" }
  | { readonly kind: "renew" }
  /** Ask for a new SVID with the expired one (ADR-0063), after taking a signed bundle if the held one has ended. */
  | { readonly kind: "recover"; readonly bundleFirst: boolean }
  /** Take a newer bundle under the recovery key. */
  | { readonly kind: "bundle" }
  /** Say that the server does not fit the bundle, and end if no authority is left that a right server could use. */
  | { readonly kind: "mismatch"; readonly stop: boolean }
  /** Learn the recovery key. */
  | { readonly kind: "pin" }
  /** Write down an SVID that the disk had no room for. */
  | { readonly kind: "keep" }
  | StopStep;

/** A step, or how long there is none, ms. */
export type NextStep = Step | { readonly kind: "wait"; readonly ms: number };

/** Decides what the agent does next about its own identity (ADR-0072). */
export function nextStep(facts: StandingFacts): NextStep {
  const { known, svid, monotonicMs, keepAtMs } = facts;
  if (known.refusal !== undefined) return afterRefusal(known.refusal, facts);
  if (known.serverUnverified) return afterMismatch(facts);
  if (svid === undefined) {
    // A new token makes a new node of it; the old one is of no more use to a removed node than none.
    if (facts.lost !== undefined && !canJoin(facts)) return stop(`agent.${facts.lost}`);
    if (facts.token === "none") return stop("agent.not_attested");
    // A spent token is tried once more: the server forgives the same key for some minutes.
    return { kind: "reattest" };
  }
  const { renewAtMs, expiresAtMs } = svid.plan;
  if (monotonicMs >= expiresAtMs) return afterRefusal("AGENT_EXPIRED", facts);
  if (monotonicMs >= renewAtMs || !svid.hasGoodAuthority) {
    return { kind: facts.reattests ? "reattest" : "renew" };
  }
  if (known.pinWanted) return { kind: "pin" };
  if (keepAtMs === undefined) return { kind: "wait", ms: renewAtMs - monotonicMs };
  if (monotonicMs >= keepAtMs) return { kind: "keep" };
  return { kind: "wait", ms: Math.min(renewAtMs, keepAtMs) - monotonicMs };
}

/**
 * A ban ends the agent and takes its SVID. An evicted agent may come back only as a new one. An expired one recovers if
 * the server offers that, else it attests anew if it can.
 */
function afterRefusal(reason: RefusalReason, facts: StandingFacts): Step {
  const canReattest = canJoin(facts);
  switch (reason) {
    case "AGENT_BANNED":
      return stop("agent.banned", { deleteSvid: true });
    case "AGENT_MUST_REATTEST":
    case "AGENT_NOT_ATTESTED":
      return canReattest ? { kind: "reattest" } : stop("agent.evicted", { deleteSvid: true });
    case "AGENT_EXPIRED":
    case "AGENT_NOT_ACTIVE":
      if (facts.reattests) return { kind: "reattest" };
      if (facts.svid !== undefined && facts.known.canRecover) return recover(facts);
      return canReattest ? { kind: "reattest" } : stop("agent.svid_expired");
    default:
      return reason satisfies never;
  }
}

/** Whether the server may take it in, now or again. */
function canJoin({ token }: Pick<StandingFacts, "token">): boolean {
  return token === "fresh" || token === "proof";
}

function recover(facts: StandingFacts): Step {
  if (!facts.bundleEnded) return { kind: "recover", bundleFirst: false };
  return canTakeBundle(facts) ? { kind: "recover", bundleFirst: true } : afterMismatch(facts);
}

/** While an authority is left, whoever answers may be an impostor, and the right server may come back. */
function afterMismatch(facts: StandingFacts): Step {
  return canTakeBundle(facts) ? { kind: "bundle" } : { kind: "mismatch", stop: facts.bundleEnded };
}

function canTakeBundle({ hasRecoveryKey, known }: StandingFacts): boolean {
  return hasRecoveryKey && known.canSignBundle;
}

function stop(cause: StopCause, { deleteSvid } = { deleteSvid: false }): StopStep {
  return { kind: "stop", cause, deleteSvid };
}

/** Which way this node's clock seems to be off. */
export type ClockFault = "ahead" | "behind";

/** Why a step failed, as far as the next one depends on it. */
export type StepFailure =
  /** The verified server refuses this agent as such. */
  | { readonly kind: "refused"; readonly reason: RefusalReason }
  /** The bundle would prove the peer at another time: this node's clock is off, or the peer did not renew. */
  | { readonly kind: "clock_off"; readonly clock: ClockFault }
  /** The bundle does not prove whoever answered. */
  | { readonly kind: "unverified" }
  /** The server answered, and asking again with the same words is no use. */
  | { readonly kind: "final" }
  /** Anything else: it may pass. */
  | { readonly kind: "passing" };

/** What a failed step teaches. */
export type Lesson =
  /** Nothing but to try again. */
  | { readonly kind: "retry" }
  | { readonly kind: "refused"; readonly reason: RefusalReason }
  /** This node's clock is off; worth saying while there is no SVID to speak with. */
  | { readonly kind: "clock_off"; readonly clock: ClockFault }
  | { readonly kind: "unverified"; readonly stop: boolean }
  /** The expired SVID is of no use any more. */
  | { readonly kind: "no_recovery" }
  /** The server did not take the proof; it may once somebody has mended either side. */
  | { readonly kind: "proof_refused" }
  /** The token is of no use, now or ever. */
  | { readonly kind: "no_token"; readonly cause: "agent.token_refused" | "agent.token_used" };

/** Decides what a failed step means. */
export function lessonOf(
  step: Step["kind"],
  failure: StepFailure,
  facts: Pick<StandingFacts, "svid" | "token" | "monotonicMs" | "bundleEnded">,
): Lesson {
  switch (failure.kind) {
    case "refused":
      return failure;
    case "clock_off":
      // Where all authorities of the bundle have ended, that is why, and not a clock.
      if (facts.bundleEnded) return unverified(facts);
      return isSpeaking(facts) ? { kind: "retry" } : failure;
    case "unverified":
      return unverified(facts);
    case "final":
      if (step === "recover") return { kind: "no_recovery" };
      if (step !== "reattest") return { kind: "retry" };
      if (facts.token === "proof") return { kind: "proof_refused" };
      return {
        kind: "no_token",
        cause: facts.token === "spent" ? "agent.token_used" : "agent.token_refused",
      };
    case "passing":
      return { kind: "retry" };
    default:
      return failure satisfies never;
  }
}

/** Without an SVID nothing is lost by ending, and a wrong bootstrap bundle is seen at once. */
function unverified({ svid }: Pick<StandingFacts, "svid">): Lesson {
  return { kind: "unverified", stop: svid === undefined };
}

function isSpeaking({ svid, monotonicMs }: Pick<StandingFacts, "svid" | "monotonicMs">): boolean {
  return svid !== undefined && monotonicMs < svid.plan.expiresAtMs;
}

/** What is known after a lesson. */
export function learn(known: Known, lesson: Lesson): Known {
  switch (lesson.kind) {
    case "refused":
      return { ...known, refusal: lesson.reason };
    case "unverified":
      return { ...known, serverUnverified: true };
    case "no_recovery":
      return { ...known, canRecover: false };
    case "retry":
    case "clock_off":
    case "proof_refused":
    case "no_token":
      return known;
    default:
      return lesson satisfies never;
  }
}
