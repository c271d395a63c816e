import type { ErrorTable } from "@bonafide/errors";

/** Error codes of this package. */
export const AUTHZ_ERRORS = {
  /** A policy in Cedar's JSON form has a shape that the form does not have. */
  POLICY_MALFORMED: { status: "invalid_argument", retry: false },
  /** A policy asks for something that this evaluator does not do exactly as Cedar does. */
  POLICY_UNSUPPORTED: { status: "unimplemented", retry: false },
  /** A policy set, a policy or an expression is larger or deeper than its limit. */
  POLICY_TOO_LARGE: { status: "out_of_range", retry: false },
  /** A value of an entity or a request is not one of Cedar's JSON form of values. */
  VALUE_MALFORMED: { status: "invalid_argument", retry: false },
  /** An entity is doubled, malformed, its own ancestor, or has too many ancestors. */
  ENTITY_INVALID: { status: "invalid_argument", retry: false },
  /** A request names something that no request can name. */
  AUTHZ_REQUEST_INVALID: { status: "invalid_argument", retry: false },
  /** The access model contradicts itself, or a part of it cannot be read. */
  MODEL_INVALID: { status: "invalid_argument", retry: false },
  /** A text is no decision record, or one of a later version. */
  RECORD_MALFORMED: { status: "invalid_argument", retry: false },
} as const;
AUTHZ_ERRORS satisfies ErrorTable;

/** One of this package's error codes. */
export type AuthzErrorCode = keyof typeof AUTHZ_ERRORS;
