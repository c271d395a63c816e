import { Buffer } from "node:buffer";
import type { GetStatusResponse, Lasting } from "@bonafide/proto/bonafide/admin/v1/status_pb";
import { formatDurationMs } from "../arguments/duration.ts";

/** How long something lasts without servers, ms from now; null: there is none of it. */
export type DescribedLasting = { readonly firstMs: number; readonly lastMs: number } | null;

/** How the control plane stands, as JSON shows it; stable. Times are epoch ms. */
export interface DescribedServerStatus {
  readonly trustDomain: string;
  readonly now: number;
  readonly startedAt: number;
  readonly head: { readonly epoch: number; readonly n: number; readonly root: string };
  readonly wireNumber: number;
  readonly held: { readonly reason: string; readonly message: string } | null;
  readonly storeConfirmedForMs: number;
  readonly servers: readonly {
    readonly id: string;
    readonly slot: number;
    readonly version: string;
    readonly self: boolean;
  }[];
  readonly authorities: readonly {
    readonly id: string;
    readonly use: string;
    readonly server: string;
    readonly state: string;
    readonly preparedAt: number;
    readonly activatedAt: number;
    readonly notAfter: number;
  }[];
  readonly entries: number;
  readonly nodes: { readonly live: number; readonly banned: number; readonly expired: number };
  readonly lasting: {
    readonly x509Svids: DescribedLasting;
    readonly jwtSvids: DescribedLasting;
    readonly nodes: DescribedLasting;
    readonly bundle: DescribedLasting;
    readonly recoveryWindowMs: number;
  };
}

/** How the control plane stands, as JSON shows it. */
export function serverStatusJson(status: GetStatusResponse): DescribedServerStatus {
  const { head } = status;
  return {
    trustDomain: status.trustDomain,
    now: Number(status.nowMs),
    startedAt: Number(status.startedAtMs),
    head: {
      epoch: head?.epoch ?? 0,
      n: Number(head?.n ?? 0n),
      root: Buffer.from(head?.root ?? []).toString("hex"),
    },
    wireNumber: Number(status.wireNumber),
    held:
      status.heldReason === "" ? null : { reason: status.heldReason, message: status.heldMessage },
    storeConfirmedForMs: Number(status.storeConfirmedForMs),
    servers: status.servers.map(({ id, slot, version, self }) => ({ id, slot, version, self })),
    authorities: status.authorities.map((authority) => ({
      id: authority.id,
      use: authority.use,
      server: authority.server,
      state: authority.state,
      preparedAt: Number(authority.preparedAtMs),
      activatedAt: Number(authority.activatedAtMs),
      notAfter: Number(authority.notAfterMs),
    })),
    entries: status.entries,
    nodes: { live: status.nodesLive, banned: status.nodesBanned, expired: status.nodesExpired },
    lasting: {
      x509Svids: lasting(status.x509Svids),
      jwtSvids: lasting(status.jwtSvids),
      nodes: lasting(status.nodes),
      bundle: lasting(status.bundle),
      recoveryWindowMs: Number(status.recoveryWindowMs),
    },
  };
}

function lasting(given: Lasting | undefined): DescribedLasting {
  if (given === undefined || given.lastMs === 0n) return null;
  return { firstMs: Number(given.firstMs), lastMs: Number(given.lastMs) };
}

/** Authorities shown to people: what has ended or was revoked is in the ledger. */
const SHOWN = new Set(["prepared", "active", "old", "tainted"]);

/** How the control plane stands, for people. */
export function serverStatusText(status: DescribedServerStatus): string {
  const { now, head, held, nodes, lasting: lasts } = status;
  const ago = (at: number): string => formatDurationMs(now - at);
  return [
    `trust domain ${status.trustDomain}: ${status.entries} entries, ${nodes.live} nodes${nodeRemarks(nodes)}`,
    `state: epoch ${head.epoch}, n ${head.n}`,
    ...(held === null ? [] : [`on hold (${held.reason}): ${held.message}`]),
    ...status.servers.map(
      ({ id, version, self }) =>
        `server ${id}, version ${version}${self ? `, answers here, up ${ago(status.startedAt)}` : ""}`,
    ),
    ...status.authorities
      .filter(({ state }) => SHOWN.has(state))
      .map(
        ({ id, use, state, preparedAt, notAfter }) =>
          `${use === "x509" ? "X.509" : "JWT"} authority ${id.slice(0, 12)}, ${state}, ` +
          `${ago(preparedAt)} old, ends in ${formatDurationMs(notAfter - now)}`,
      ),
    "",
    "if every server died now:",
    `  workloads' X509-SVIDs  ${span(lasts.x509Svids, "no entry asks for one")}`,
    `  workloads' JWT-SVIDs   ${span(lasts.jwtSvids, "no entry asks for one")}`,
    `  nodes' own SVIDs       ${span(lasts.nodes, "no node has one")}`,
    `  the bundle             ${span(lasts.bundle, "nothing is believed any more")}`,
    lasts.recoveryWindowMs === 0
      ? "  a node whose SVID has ended has to join anew"
      : `  a node comes back by itself for ${formatDurationMs(lasts.recoveryWindowMs)} after its SVID ended`,
  ].join("\n");
}

function nodeRemarks({ banned, expired }: DescribedServerStatus["nodes"]): string {
  const remarks = [
    expired === 0 ? "" : `${expired} of them expired`,
    banned === 0 ? "" : `${banned} banned`,
  ].filter((remark) => remark !== "");
  return remarks.length === 0 ? "" : ` (${remarks.join(", ")})`;
}

function span(given: DescribedLasting, none: string): string {
  if (given === null) return none;
  const [first, last] = [formatDurationMs(given.firstMs), formatDurationMs(given.lastMs)];
  return first === last
    ? `${first} from now`
    : `first ends in ${first} or later, last within ${last}`;
}
