import { isBonafideError } from "@bonafide/errors";
import { RpcError } from "@bonafide/rpc";
import type { ClockFault, StepFailure } from "../core/standing.ts";
import { refusalOf } from "../server/refusal.ts";

/** Reads a failed call as what the agent's next step depends on. */
export function stepFailureOf(error: unknown): StepFailure {
  const reason = refusalOf(error);
  if (reason !== undefined) return { kind: "refused", reason };
  const clock = clockFaultOf(error);
  if (clock !== undefined) return { kind: "clock_off", clock };
  if (isUnverified(error)) return { kind: "unverified" };
  const isFinal = error instanceof RpcError && FINAL.has(error.status);
  return { kind: isFinal ? "final" : "passing" };
}

/** Whether the bundle is why there is no connection: another one could prove whoever answers. */
export function isUnknownAuthority(error: unknown): boolean {
  if (isBonafideError(error, "BUNDLE_NOT_FOUND")) return true;
  return isBonafideError(error, "X509_SVID_UNTRUSTED") && clockFaultOf(error) === undefined;
}

/** Answers that the same words get again. */
const FINAL: ReadonlySet<string> = new Set([
  "invalid_argument",
  "permission_denied",
  "failed_precondition",
  "unimplemented",
]);

/** What a certificate that is not valid now, and else would do, says of this node's clock. */
function clockFaultOf(error: unknown): ClockFault | undefined {
  if (!isBonafideError(error, "X509_SVID_UNTRUSTED")) return undefined;
  switch (error.details["reason"]) {
    case "PATH_NOT_YET_VALID":
      return "behind";
    case "PATH_EXPIRED":
      return "ahead";
    default:
      return undefined;
  }
}

function isUnverified(error: unknown): boolean {
  return (
    isUnknownAuthority(error) ||
    isBonafideError(error, "X509_SVID_INVALID") ||
    isBonafideError(error, "PEER_NOT_AUTHORIZED")
  );
}
