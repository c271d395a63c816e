import type { ErrorTable } from "@bonafide/errors";

/** Everything the server refuses with a code of its own; each code has a page under docs/errors/. */
export const SERVER_ERRORS = {
  ADMIN_REQUIRED: { status: "permission_denied", retry: false },
  AGENT_BANNED: { status: "permission_denied", retry: false },
  AGENT_EXPIRED: { status: "permission_denied", retry: false },
  AGENT_MUST_REATTEST: { status: "permission_denied", retry: false },
  AGENT_NOT_ATTESTED: { status: "permission_denied", retry: false },
  AGENT_NOT_FOUND: { status: "not_found", retry: false },
  AGENT_REQUIRED: { status: "permission_denied", retry: false },
  ATTESTATION_FAILED: { status: "invalid_argument", retry: false },
  ATTESTATION_REPLAYED: { status: "invalid_argument", retry: false },
  ATTESTATION_TYPE_UNKNOWN: { status: "failed_precondition", retry: false },
  AUTHORITY_NOT_READY: { status: "unavailable", retry: true },
  BUNDLE_NOT_FOUND: { status: "not_found", retry: false },
  CALLER_CERTIFICATE_REFUSED: { status: "unauthenticated", retry: false },
  CALLER_GONE: { status: "unavailable", retry: true },
  CSR_INVALID: { status: "invalid_argument", retry: false },
  ENTRY_EXISTS: { status: "already_exists", retry: false },
  ENTRY_INVALID: { status: "invalid_argument", retry: false },
  ENTRY_NOT_FOUND: { status: "not_found", retry: false },
  ENTRY_RESERVED: { status: "permission_denied", retry: false },
  JOIN_TOKEN_EXISTS: { status: "already_exists", retry: false },
  METHOD_UNAVAILABLE_HERE: { status: "unimplemented", retry: false },
  NOT_HELD: { status: "failed_precondition", retry: false },
  OVERLOADED: { status: "resource_exhausted", retry: true },
  PAGE_TOKEN_INVALID: { status: "invalid_argument", retry: false },
  RECOVERY_REFUSED: { status: "permission_denied", retry: false },
  REQUEST_INVALID: { status: "invalid_argument", retry: false },
  SERVER_CLOSING: { status: "unavailable", retry: true },
  SERVER_OPTIONS_INVALID: { status: "invalid_argument", retry: false },
  STATE_AHEAD: { status: "unavailable", retry: true },
  STORE_STALE: { status: "unavailable", retry: true },
  TRUST_DOMAIN_MISMATCH: { status: "failed_precondition", retry: false },
} as const;
SERVER_ERRORS satisfies ErrorTable;

/** A code of {@link SERVER_ERRORS}. */
export type ServerErrorCode = keyof typeof SERVER_ERRORS;
