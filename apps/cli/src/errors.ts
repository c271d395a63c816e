import type { ErrorTable } from "@bonafide/errors";

/** Error codes of the command line. */
export const CLI_ERRORS = {
  USAGE: { status: "invalid_argument", retry: false },
  CONFIG_UNREADABLE: { status: "failed_precondition", retry: false },
  CONFIG_INVALID: { status: "invalid_argument", retry: false },
  /** A file or folder that was to be written cannot be. */
  OUTPUT_UNWRITABLE: { status: "failed_precondition", retry: false },
  /** A file that the configuration names cannot be read. */
  FILE_UNREADABLE: { status: "failed_precondition", retry: false },
  /** The address to listen on is taken, not of this machine, or not allowed. */
  LISTEN_FAILED: { status: "unavailable", retry: true },
  SOCKET_MISSING: { status: "unavailable", retry: true },
  /** A folder on the way to the socket, or the socket itself, refuses this user. */
  SOCKET_NOT_PERMITTED: { status: "permission_denied", retry: false },
  DATA_DIR_UNSAFE: { status: "failed_precondition", retry: false },
  DATA_DIR_LOCKED: { status: "aborted", retry: true },
  PROCESS_ENDED: { status: "unavailable", retry: true },
  DEMO_FAILED: { status: "failed_precondition", retry: false },
  /** Only root may start a program as another user. */
  USER_NOT_PERMITTED: { status: "permission_denied", retry: false },
  /** An access model breaks rules, or cannot be read, and so answers nothing. */
  AUTHZ_FOLDER_REFUSED: { status: "invalid_argument", retry: false },
  /** A bundle is not what the folder makes; nothing is signed. */
  AUTHZ_BUNDLE_DIFFERS: { status: "failed_precondition", retry: false },
  /** A file of routes is written in a way that only people can add to. */
  AUTHZ_ROUTES_UNEDITABLE: { status: "failed_precondition", retry: false },
  /** A revision cannot be read: no repository, no such revision, a link, or git is not installed. */
  GIT_UNREADABLE: { status: "failed_precondition", retry: false },
  /** A backup is damaged, or no store of this program. */
  BACKUP_INVALID: { status: "invalid_argument", retry: false },
  /** A file of `export spire` cannot be read, or is of another trust domain than the server. */
  IMPORT_INVALID: { status: "invalid_argument", retry: false },
  PLATFORM_UNSUPPORTED: { status: "failed_precondition", retry: false },
} as const;
CLI_ERRORS satisfies ErrorTable;
