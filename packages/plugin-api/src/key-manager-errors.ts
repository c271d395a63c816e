import type { ErrorTable } from "@bonafide/errors";

/** The closed table of codes that every key manager uses. */
export const KEY_MANAGER_ERRORS = {
  /** A slot's name is not 1..64 characters of `a-z 0-9 -` beginning with a letter. */
  KEY_SLOT_INVALID: { status: "invalid_argument", retry: false },
  /** The slot is free, or holds another key. */
  KEY_NOT_FOUND: { status: "not_found", retry: false },
  /** What was kept is damaged, or not ours; the message names it and how to mend it. */
  KEY_STORE_CORRUPT: { status: "data_loss", retry: false },
  /** The place where keys are kept may be read or replaced by others. */
  KEY_STORE_UNSAFE: { status: "failed_precondition", retry: false },
  /** Keys cannot be read or written now. */
  KEY_STORE_UNAVAILABLE: { status: "unavailable", retry: true },
  /** The manager was closed. */
  KEY_MANAGER_CLOSED: { status: "failed_precondition", retry: false },
} as const;
KEY_MANAGER_ERRORS satisfies ErrorTable;
