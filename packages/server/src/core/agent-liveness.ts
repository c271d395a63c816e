import { comparePositions, type Position } from "@bonafide/ledger";

/** What the registry says of a node. */
export interface NodeStanding {
  readonly state: "live" | "banned" | "evicted";
  /** SVIDs signed before this position are dead; undefined: of any position. */
  readonly validFrom: Position | undefined;
}

/** Why an agent's certificate does not make it an agent. */
export type DeadAgent = "AGENT_NOT_ATTESTED" | "AGENT_BANNED";

/**
 * Whether an agent SVID that chains is still live (ADR-0061). Needs no write and no clock.
 *
 * @param node      undefined: never attested, or removed.
 * @param signedAt  The position the SVID was signed at, from its extension; undefined: it carries none, so it is not
 *                  one of ours and proves nothing.
 * @returns undefined for a live agent.
 */
export function agentRefusal(
  node: NodeStanding | undefined,
  signedAt: Position | undefined,
): DeadAgent | undefined {
  if (node === undefined || node.state === "evicted") return "AGENT_NOT_ATTESTED";
  if (node.state === "banned") return "AGENT_BANNED";
  if (signedAt === undefined) return "AGENT_NOT_ATTESTED";
  if (node.validFrom !== undefined && comparePositions(signedAt, node.validFrom) < 0) {
    return "AGENT_NOT_ATTESTED";
  }
  return undefined;
}
