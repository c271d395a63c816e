import type { Position } from "@bonafide/ledger";
import { agentRefusal, type DeadAgent, type NodeStanding } from "./agent-liveness.ts";
import { isSuperseded, type SvidMark } from "./newest-svid.ts";

/** Why a node may not recover with its expired SVID. For the log and the alarm; the caller is told only that it failed. */
export type RecoveryRefusal =
  | "switched-off"
  | "window-passed"
  | "reattestable"
  /** A later SVID of the node was used since: whoever presents this one is not the node, or was rolled back. */
  | "superseded"
  | DeadAgent;

/** What the recovery decision needs. Instants are epoch ms. */
export interface RecoveryFacts {
  readonly node: (NodeStanding & { readonly canReattest: boolean }) | undefined;
  readonly signedAt: Position | undefined;
  /** The SVID that is presented. */
  readonly presented: SvidMark;
  /** The newest that the node is known to have used; undefined: nothing is known. */
  readonly newest: SvidMark | undefined;
  readonly now: number;
  /** ms; 0 switches recovery off. */
  readonly windowMs: number;
}

/**
 * Whether a node whose SVID has expired may have a new one for it (ADR-0063). The chain, the signature by the old key
 * and the freshness of the nonce are proven before this is asked.
 *
 * An SVID that is still valid also passes: its holder proved the key, and a clock that is a minute off should not cost a
 * node its identity.
 */
export function recoveryRefusal(facts: RecoveryFacts): RecoveryRefusal | undefined {
  if (facts.windowMs <= 0) return "switched-off";
  const dead = agentRefusal(facts.node, facts.signedAt);
  if (dead !== undefined) return dead;
  if (facts.node?.canReattest === true) return "reattestable";
  if (facts.now > facts.presented.expiresAtMs + facts.windowMs) return "window-passed";
  if (isSuperseded(facts.presented, facts.newest)) return "superseded";
  return undefined;
}
