import { BonafideError } from "@bonafide/errors";
import { UNIX_PEER_ERRORS } from "./errors.ts";

/** `details.cause` of a refused caller: dotted codes that the agent's `why` explains. */
export type PeerCause =
  | "caller.gone"
  | "caller.outside_pid_namespace"
  | "caller.id_unmapped"
  | "caller.ids_changed"
  | "caller.ids_unreadable"
  | "caller.not_pinned";

/** `details` of a refused caller. */
export function because(
  cause: PeerCause,
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  return { cause, ...more };
}

/** The process has ended. */
export function peerGone(pid: number): BonafideError {
  return new BonafideError(UNIX_PEER_ERRORS, "PEER_GONE", `the process ${pid} has ended`, {
    details: because("caller.gone"),
  });
}

/** The process has no number in our pid namespace. */
export function peerOutside(): BonafideError {
  return new BonafideError(
    UNIX_PEER_ERRORS,
    "PEER_OUTSIDE_PID_NAMESPACE",
    "the calling process has no number in the pid namespace of the agent",
    { details: because("caller.outside_pid_namespace") },
  );
}

/** The kernel does not say which process it is. */
export function peerNotPinned(message: string, cause: PeerCause): BonafideError {
  return new BonafideError(UNIX_PEER_ERRORS, "PEER_NOT_PINNED", message, {
    details: because(cause),
  });
}
