import type { ErrorTable } from "@bonafide/errors";

/**
 * Error codes of the launcher: `SLOT_` of the agent's two services, `LAUNCH_` of the program that starts a workload.
 *
 * @stability stable
 */
export const LAUNCHER_ERRORS = {
  SLOT_NAME_INVALID: { status: "invalid_argument", retry: false },
  SLOT_NOT_PERMITTED: { status: "permission_denied", retry: false },
  SLOTS_EXCEEDED: { status: "resource_exhausted", retry: true },
  SLOT_UNKNOWN: { status: "permission_denied", retry: false },
  SLOT_REDEEMER_UNFIT: { status: "permission_denied", retry: false },
  LAUNCH_AGENT_UNREACHABLE: { status: "unavailable", retry: true },
  LAUNCH_NONCE_MISSING: { status: "failed_precondition", retry: false },
  LAUNCH_COMMAND_NOT_FOUND: { status: "not_found", retry: false },
  LAUNCH_COMMAND_NOT_EXECUTABLE: { status: "failed_precondition", retry: false },
} as const;
LAUNCHER_ERRORS satisfies ErrorTable;
