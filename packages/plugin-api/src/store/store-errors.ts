import type { ErrorTable } from "@bonafide/errors";

/** Failure codes of every store. */
export const STORE_ERRORS = {
  /** The store refuses writes for now; nothing was written. */
  STORE_READ_ONLY: { status: "unavailable", retry: true },
  /** No room on the disk; nothing was written. */
  STORE_FULL: { status: "unavailable", retry: true },
  /** The disk or the connection failed; nothing was written. */
  STORE_UNAVAILABLE: { status: "unavailable", retry: true },
  /** The answer to a commit was lost: it may be there or not. The caller reads and compares. */
  STORE_UNKNOWN_OUTCOME: { status: "unavailable", retry: true },
  /** The bytes on the disk are not what this store wrote. */
  STORE_CORRUPT: { status: "data_loss", retry: false },
  /** The file under the open handle is not the one at its path any more; the store must be opened anew. */
  STORE_REPLACED: { status: "unavailable", retry: true },
  /** Somebody else wrote to the file; the store must be opened anew and checked. */
  STORE_CHANGED_OUTSIDE: { status: "unavailable", retry: true },
  /** Another process has this store open for writing. */
  STORE_LOCKED: { status: "failed_precondition", retry: false },
  /** The tables were made by a newer version. */
  STORE_SCHEMA_UNKNOWN: { status: "failed_precondition", retry: false },
  /** The store was closed. */
  STORE_CLOSED: { status: "unavailable", retry: false },
  /** A page size, a filter or a batch beyond the port's bounds. */
  STORE_ARGUMENT: { status: "invalid_argument", retry: false },
  /** The object part of a live object cannot be erased; remove the object first. */
  STORE_ERASE_LIVE: { status: "failed_precondition", retry: false },
} as const;
STORE_ERRORS satisfies ErrorTable;

/** One of the stores' failure codes. */
export type StoreErrorCode = keyof typeof STORE_ERRORS;
