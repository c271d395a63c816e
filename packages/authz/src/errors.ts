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
  /** Bytes are no bundle, or a part of one is not in its canonical form. */
  BUNDLE_MALFORMED: { status: "invalid_argument", retry: false },
  /** A bundle or a part of it is larger than its limit. */
  BUNDLE_TOO_LARGE: { status: "out_of_range", retry: false },
  /** Too few of the trusted policy keys have signed the bundle, or a part is not what they signed. */
  BUNDLE_UNTRUSTED: { status: "permission_denied", retry: false },
  /** A bundle is older than one that was adopted before, or another one of the same serial. */
  BUNDLE_ROLLED_BACK: { status: "failed_precondition", retry: false },
  /** The bundle is no longer valid. */
  BUNDLE_EXPIRED: { status: "failed_precondition", retry: false },
  /** The bundle is from the future: one of two clocks is wrong. */
  BUNDLE_NOT_YET_VALID: { status: "failed_precondition", retry: true },
  /** The bundle needs a newer version of this library. */
  BUNDLE_UNSUPPORTED: { status: "unimplemented", retry: false },
  /** The bundle is of another trust domain, or lacks a slice that was asked for. */
  BUNDLE_MISMATCH: { status: "failed_precondition", retry: false },
  /** The file of a bundle cannot be read. */
  BUNDLE_UNREADABLE: { status: "unavailable", retry: true },
  /** A folder with findings makes no bundle. */
  FOLDER_REFUSED: { status: "failed_precondition", retry: false },
  /** A policy key is none, is given twice, is an authority's, or more signatures are wanted than there are keys. */
  POLICY_KEY_INVALID: { status: "invalid_argument", retry: false },
  /** A text is no decision record, or one of a later version. */
  RECORD_MALFORMED: { status: "invalid_argument", retry: false },
  /** A line of an access log is neither a counted edge nor a decision record, or there are too many edges. */
  ACCESS_LOG_MALFORMED: { status: "invalid_argument", retry: false },
} as const;
AUTHZ_ERRORS satisfies ErrorTable;

/** One of this package's error codes. */
export type AuthzErrorCode = keyof typeof AUTHZ_ERRORS;
