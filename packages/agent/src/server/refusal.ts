import {
  PermissionDeniedDetails_Reason as Reason,
  PermissionDeniedDetailsSchema,
} from "@bonafide/proto/spire/api/types/status_pb";
import { RpcError } from "@bonafide/rpc";
import type { RefusalReason } from "../core/standing.ts";

const REASONS: ReadonlyMap<number, RefusalReason> = new Map<number, RefusalReason>([
  [Reason.AGENT_EXPIRED, "AGENT_EXPIRED"],
  [Reason.AGENT_NOT_ACTIVE, "AGENT_NOT_ACTIVE"],
  [Reason.AGENT_NOT_ATTESTED, "AGENT_NOT_ATTESTED"],
  [Reason.AGENT_MUST_REATTEST, "AGENT_MUST_REATTEST"],
  [Reason.AGENT_BANNED, "AGENT_BANNED"],
]);

/** Whether a failed call says that the server refuses this agent as such, and why. */
export function refusalOf(error: unknown): RefusalReason | undefined {
  if (!(error instanceof RpcError) || error.status !== "permission_denied") return undefined;
  const details = error.detail(PermissionDeniedDetailsSchema);
  return details === undefined ? undefined : REASONS.get(details.reason);
}
