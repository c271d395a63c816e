import type { Agent } from "@bonafide/proto/spire/api/types/agent_pb";
import { oneLine } from "../output.ts";
import { isoSeconds } from "./entry.ts";
import { idText } from "./spiffe-id.ts";

/** A node as JSON shows it; stable. */
export interface DescribedAgent {
  readonly id: string;
  readonly attestationType: string;
  readonly banned: boolean;
  readonly canReattest: boolean;
  /** Unix seconds; 0: none was signed. */
  readonly svidExpiresAt: number;
  readonly serialNumber: string;
  readonly version: string;
  readonly selectors: readonly string[];
}

/** A node as JSON shows it. */
export function agentJson(agent: Agent): DescribedAgent {
  return {
    id: idText(agent.id),
    attestationType: agent.attestationType,
    banned: agent.banned,
    canReattest: agent.canReattest,
    svidExpiresAt: Number(agent.x509svidExpiresAt),
    serialNumber: agent.x509svidSerialNumber,
    version: agent.agentVersion,
    selectors: agent.selectors.map(({ type, value }) => `${type}:${value}`),
  };
}

/** A node for people: a line each for what is known. */
export function agentText(agent: DescribedAgent): string {
  const lines: readonly (readonly [string, string])[] = [
    ["agent", agent.id],
    ["attested by", agent.attestationType],
    ["state", agent.banned ? "banned" : "live"],
    ["comes back", agent.canReattest ? "by attesting again" : "by its last SVID"],
    ["SVID expires", agent.svidExpiresAt === 0 ? "" : isoSeconds(agent.svidExpiresAt)],
    ["serial", agent.serialNumber],
    ["version", agent.version],
    ...agent.selectors.map((selector) => ["selector", selector] as const),
  ];
  return lines
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name.padEnd(12)}  ${oneLine(value)}`)
    .join("\n");
}
