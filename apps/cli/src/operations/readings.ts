import type { AgentMeasures } from "@bonafide/agent";
import type { ServerMeasures } from "@bonafide/server";
import type { Reading } from "./telemetry.ts";

/** The gauges of a server. */
export function serverReadings(measures: ServerMeasures): readonly Reading[] {
  return [
    { metric: "entries", value: measures.entries },
    { metric: "nodes", value: measures.nodesLive, attributes: { state: "live" } },
    { metric: "nodes", value: measures.nodesBanned, attributes: { state: "banned" } },
    { metric: "leaves", value: measures.leaves },
    { metric: "confirmed", value: measures.storeConfirmedForMs / 1000 },
    {
      metric: "authority",
      value: seconds(measures.x509AuthorityEndsAt),
      attributes: { use: "x509" },
    },
    {
      metric: "authority",
      value: seconds(measures.jwtAuthorityEndsAt),
      attributes: { use: "jwt" },
    },
  ];
}

/** The gauges of an agent. */
export function agentReadings(measures: AgentMeasures): readonly Reading[] {
  return [
    { metric: "entries", value: measures.entries },
    { metric: "svids", value: measures.cachedX509Svids },
    { metric: "streams", value: measures.streams },
    { metric: "svidEnds", value: seconds(measures.svidEndsAt) },
    { metric: "synced", value: seconds(measures.lastSyncAt) },
  ];
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
