import { type GetStatusResponse, SyncMode } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { formatDurationMs } from "../arguments/duration.ts";

/** How an agent stands, as JSON shows it; stable. Times are epoch ms, 0: never. */
export interface DescribedAgentStatus {
  readonly trustDomain: string;
  readonly agentId: string;
  readonly server: string;
  readonly version: string;
  readonly startedAt: number;
  readonly svidExpiresAt: number;
  readonly canReattest: boolean;
  readonly sync: "push" | "poll" | "none";
  readonly lastSyncAt: number;
  readonly entries: number;
  readonly cachedSvids: number;
  readonly streams: number;
  readonly clockOffsetMs: number | null;
  readonly problems: readonly {
    readonly code: string;
    readonly text: string;
    readonly hint: string;
  }[];
}

const SYNCS = new Map<SyncMode, DescribedAgentStatus["sync"]>([
  [SyncMode.PUSH, "push"],
  [SyncMode.POLL, "poll"],
]);

/** How an agent stands, as JSON shows it. */
export function agentStatusJson(status: GetStatusResponse): DescribedAgentStatus {
  return {
    trustDomain: status.trustDomain,
    agentId: status.agentId,
    server: status.serverAddress,
    version: status.version,
    startedAt: Number(status.startedAtMs),
    svidExpiresAt: Number(status.svidExpiresAtMs),
    canReattest: status.reattestable,
    sync: SYNCS.get(status.syncMode) ?? "none",
    lastSyncAt: Number(status.lastSyncAtMs),
    entries: status.entries,
    cachedSvids: status.cachedSvids,
    streams: status.streams,
    clockOffsetMs: status.clockOffsetMs === undefined ? null : Number(status.clockOffsetMs),
    problems: status.problems.map(({ code, text, hint }) => ({ code, text, hint })),
  };
}

/** How an agent stands, for people. @param now  Epoch ms. */
export function agentStatusText(status: DescribedAgentStatus, now: number): string {
  const { agentId, svidExpiresAt, lastSyncAt } = status;
  return [
    agentId === ""
      ? `agent of ${status.trustDomain}, not joined`
      : `agent ${agentId}, up ${formatDurationMs(now - status.startedAt)}`,
    `server ${status.server}, ${SYNC_TEXTS[status.sync]}` +
      (lastSyncAt === 0 ? "" : `, heard of ${formatDurationMs(now - lastSyncAt)} ago`),
    `${status.entries} entries, ${status.cachedSvids} SVIDs kept, ${status.streams} streams`,
    ...(svidExpiresAt === 0
      ? []
      : [`its own SVID ends in ${formatDurationMs(svidExpiresAt - now)} if no server answers`]),
    ...status.problems.flatMap(({ code, text, hint }) => [
      `problem: ${text} (${code})`,
      ...(hint === "" ? [] : [`  ${hint}`]),
    ]),
  ].join("\n");
}

const SYNC_TEXTS: Readonly<Record<DescribedAgentStatus["sync"], string>> = {
  push: "which pushes",
  poll: "which is polled",
  none: "not heard of in this run",
};
