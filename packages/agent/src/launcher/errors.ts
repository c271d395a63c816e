import type { ErrorTable } from "@bonafide/errors";

/** Error codes of the launcher, on both of the agent's sockets. */
export const LAUNCHER_ERRORS = {
  SLOT_NAME_INVALID: { status: "invalid_argument", retry: false },
  SLOT_NOT_PERMITTED: { status: "permission_denied", retry: false },
  SLOTS_EXCEEDED: { status: "resource_exhausted", retry: true },
  SLOT_UNKNOWN: { status: "permission_denied", retry: false },
  SLOT_REDEEMER_UNFIT: { status: "permission_denied", retry: false },
} as const;
LAUNCHER_ERRORS satisfies ErrorTable;
