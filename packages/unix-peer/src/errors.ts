import type { ErrorTable } from "@bonafide/errors";

/**
 * Error codes of this package. Refusals of a caller also carry `details.cause`, the dotted code that `why` explains.
 *
 * @stability stable
 */
export const UNIX_PEER_ERRORS = {
  KERNEL_UNSUPPORTED: { status: "failed_precondition", retry: false },
  KERNEL_CALL_FAILED: { status: "internal", retry: false },
  PEER_GONE: { status: "permission_denied", retry: false },
  PEER_OUTSIDE_PID_NAMESPACE: { status: "permission_denied", retry: false },
  PEER_ID_UNMAPPED: { status: "permission_denied", retry: false },
  PEER_IDS_CHANGED: { status: "permission_denied", retry: false },
  PEER_NOT_PINNED: { status: "permission_denied", retry: false },
  CONNECTION_CLOSED: { status: "permission_denied", retry: false },
  SOCKET_PATH_INVALID: { status: "invalid_argument", retry: false },
  SOCKET_PATH_TOO_LONG: { status: "invalid_argument", retry: false },
  SOCKET_PATH_OCCUPIED: { status: "failed_precondition", retry: false },
  SOCKET_FOLDER_UNSAFE: { status: "failed_precondition", retry: false },
  SOCKET_IN_USE: { status: "already_exists", retry: true },
} as const;
UNIX_PEER_ERRORS satisfies ErrorTable;
