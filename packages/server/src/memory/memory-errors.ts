import type { ErrorTable } from "@bonafide/errors";

/** Failure codes of a server's own memory and of what it finds against it. */
export const MEMORY_ERRORS = {
  /** The memory file cannot be written; nothing may be told that it does not hold. */
  MEMORY_UNWRITABLE: { status: "unavailable", retry: true },
  /** The memory file is damaged before its end: what it remembered cannot be trusted. */
  MEMORY_CORRUPT: { status: "data_loss", retry: false },
  /** The database is a stale replica or a deposed primary: point the server at the right one. */
  LEDGER_NOT_USED: { status: "unavailable", retry: true },
  /** The ledger in this database is another trust domain's. */
  LEDGER_OTHER_TRUST_DOMAIN: { status: "failed_precondition", retry: false },
  /** Nothing is held, so nothing can be accepted. */
  LEDGER_NOT_HELD: { status: "failed_precondition", retry: false },
} as const;
MEMORY_ERRORS satisfies ErrorTable;

/** One of these codes. */
export type MemoryErrorCode = keyof typeof MEMORY_ERRORS;
