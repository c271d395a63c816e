/** What a server says to an agent that it refuses (PermissionDeniedDetails). */
export type RefusalReason =
  | "AGENT_EXPIRED"
  | "AGENT_NOT_ACTIVE"
  | "AGENT_NOT_ATTESTED"
  | "AGENT_MUST_REATTEST"
  | "AGENT_BANNED";

/** What the agent does about it. */
export type StandingStep =
  /** Ask for a new SVID with the expired one (ADR-0063). */
  | { readonly kind: "recover" }
  /** Attest as at the first start. */
  | { readonly kind: "reattest" }
  /** Nothing helps but a person. */
  | {
      readonly kind: "stop";
      readonly cause: "agent.banned" | "agent.evicted" | "agent.svid_expired";
      readonly deleteSvid: boolean;
    };

/**
 * Decides the next step after a refusal.
 *
 * A ban ends the agent and takes its SVID. An evicted agent may come back only as a new one. An expired one recovers
 * if the server offers that, else it attests anew if it can.
 */
export function decideStanding(
  reason: RefusalReason,
  can: { readonly reattest: boolean; readonly recover: boolean },
): StandingStep {
  switch (reason) {
    case "AGENT_BANNED":
      return { kind: "stop", cause: "agent.banned", deleteSvid: true };
    case "AGENT_MUST_REATTEST":
    case "AGENT_NOT_ATTESTED":
      if (can.reattest) return { kind: "reattest" };
      return { kind: "stop", cause: "agent.evicted", deleteSvid: true };
    case "AGENT_EXPIRED":
    case "AGENT_NOT_ACTIVE":
      if (can.recover) return { kind: "recover" };
      if (can.reattest) return { kind: "reattest" };
      return { kind: "stop", cause: "agent.svid_expired", deleteSvid: false };
    default:
      return reason satisfies never;
  }
}
