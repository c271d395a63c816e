import type { ErrorTable } from "@bonafide/errors";

/** Error codes of this package. */
export const ENFORCE_ERRORS = {
  /** The call was decided, and denied; `details.decision` names the record that says why. */
  CALL_DENIED: { status: "permission_denied", retry: false },
  /** There is no bundle to decide by, or it has expired; `details.decision` names the record. */
  POLICY_NOT_READY: { status: "unavailable", retry: true },
  /** Claims of a token are not those of a user. */
  CLAIMS_INVALID: { status: "invalid_argument", retry: false },
} as const;
ENFORCE_ERRORS satisfies ErrorTable;

/** One of this package's error codes. */
export type EnforceErrorCode = keyof typeof ENFORCE_ERRORS;
