import { BonafideError } from "@bonafide/errors";
import { UNIX_PEER_ERRORS } from "./errors.ts";

/** The process has ended. */
export function peerGone(pid: number): BonafideError {
  return new BonafideError(UNIX_PEER_ERRORS, "PEER_GONE", `the process ${pid} has ended`, {
    details: { cause: "caller.gone" },
  });
}

/** The process has no number in our pid namespace. */
export function peerOutside(): BonafideError {
  return new BonafideError(
    UNIX_PEER_ERRORS,
    "PEER_OUTSIDE_PID_NAMESPACE",
    "the calling process has no number in the pid namespace of the agent",
    { details: { cause: "caller.outside_pid_namespace" } },
  );
}

/** The kernel does not say which process it is. */
export function peerNotPinned(message: string, cause: string): BonafideError {
  return new BonafideError(UNIX_PEER_ERRORS, "PEER_NOT_PINNED", message, { details: { cause } });
}
