import { isBonafideError, type StatusName } from "@bonafide/errors";

/** What a finished command tells the shell; numbers above 63 follow sysexits.h. */
export const EXIT = {
  /** Done, or the answer is yes. */
  ok: 0,
  /** The answer is no: refused, unhealthy, faults found. */
  no: 1,
  /** The command line is wrong. */
  usage: 64,
  /** Input that was read is wrong: a bundle, a token, an export. */
  data: 65,
  /** A server, an agent or a file that is needed is not there. */
  unavailable: 69,
  /** A fault of ours. */
  bug: 70,
  /** A file cannot be written. */
  cannotCreate: 73,
  /** Busy or locked; the same command may succeed later. */
  busy: 75,
  /** The caller may not do this. */
  notPermitted: 77,
  /** The configuration is wrong. */
  config: 78,
} as const;

const BY_STATUS: Readonly<Partial<Record<StatusName, number>>> = {
  invalid_argument: EXIT.data,
  not_found: EXIT.no,
  already_exists: EXIT.no,
  permission_denied: EXIT.notPermitted,
  unauthenticated: EXIT.notPermitted,
  failed_precondition: EXIT.no,
  unavailable: EXIT.unavailable,
  deadline_exceeded: EXIT.unavailable,
  resource_exhausted: EXIT.busy,
  aborted: EXIT.busy,
};

/** Codes whose exit code says more than their status does. */
const BY_CODE: Readonly<Record<string, number>> = {
  USAGE: EXIT.usage,
  OUTPUT_UNWRITABLE: EXIT.cannotCreate,
  STORE_LOCKED: EXIT.busy,
  AGENT_STATE_LOCKED: EXIT.busy,
  SOCKET_IN_USE: EXIT.busy,
  AGENT_STATE_INVALID: EXIT.config,
  BOOTSTRAP_MISSING: EXIT.config,
  FILE_UNREADABLE: EXIT.config,
  GIT_UNREADABLE: EXIT.unavailable,
  SERVER_OPTIONS_INVALID: EXIT.config,
  SOCKET_PATH_TOO_LONG: EXIT.config,
  SOCKET_FOLDER_UNSAFE: EXIT.config,
  DATA_DIR_UNSAFE: EXIT.config,
  // What a shell says of a command that it does not find, or may not run.
  LAUNCH_COMMAND_NOT_FOUND: 127,
  LAUNCH_COMMAND_NOT_EXECUTABLE: 126,
};

/** The exit code of a failure; an error without a code of ours is a bug. */
export function exitCodeOf(error: unknown): number {
  if (!isBonafideError(error)) return EXIT.bug;
  const own = BY_CODE[error.code];
  if (own !== undefined) return own;
  if (error.code.startsWith("CONFIG_")) return EXIT.config;
  return BY_STATUS[error.status] ?? EXIT.bug;
}
