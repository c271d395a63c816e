import { isBonafideError } from "@bonafide/errors";
import { RpcError } from "@bonafide/rpc";
import type { StepFailure } from "../core/standing.ts";
import { refusalOf } from "../server/refusal.ts";

/** Reads a failed call as what the agent's next step depends on. */
export function stepFailureOf(error: unknown): StepFailure {
  const reason = refusalOf(error);
  if (reason !== undefined) return { kind: "refused", reason };
  if (isNotYetValid(error)) return { kind: "not_yet_valid" };
  if (isUnverified(error)) return { kind: "unverified" };
  const isFinal = error instanceof RpcError && FINAL.has(error.status);
  return { kind: isFinal ? "final" : "passing" };
}

/** Whether the bundle is why there is no connection: another one could prove whoever answers. */
export function isUnknownAuthority(error: unknown): boolean {
  if (isBonafideError(error, "BUNDLE_NOT_FOUND")) return true;
  return isBonafideError(error, "X509_SVID_UNTRUSTED") && !isNotYetValid(error);
}

/** Answers that the same words get again. */
const FINAL: ReadonlySet<string> = new Set([
  "invalid_argument",
  "permission_denied",
  "failed_precondition",
  "unimplemented",
]);

function isNotYetValid(error: unknown): boolean {
  return (
    isBonafideError(error, "X509_SVID_UNTRUSTED") &&
    error.details["reason"] === "PATH_NOT_YET_VALID"
  );
}

function isUnverified(error: unknown): boolean {
  return (
    isUnknownAuthority(error) ||
    isBonafideError(error, "X509_SVID_INVALID") ||
    isBonafideError(error, "PEER_NOT_AUTHORIZED")
  );
}
