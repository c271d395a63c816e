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

/** The exit code of a failure; an error without a code of ours is a bug. */
export function exitCodeOf(error: unknown): number {
  if (!isBonafideError(error)) return EXIT.bug;
  if (error.code === "USAGE") return EXIT.usage;
  if (error.code.startsWith("CONFIG_")) return EXIT.config;
  return BY_STATUS[error.status] ?? EXIT.bug;
}
