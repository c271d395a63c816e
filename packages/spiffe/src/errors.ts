import type { ErrorTable } from "@bonafide/errors";

/** Every error code this package throws; codes are public API (ADR-0005). */
export const SPIFFE_ERRORS = {
  /** Text or bytes are no SPIFFE ID; `details.reason` says which rule. */
  SPIFFE_ID_INVALID: { status: "invalid_argument", retry: false },
  /** Text is no trust domain name; `details.reason` says which rule. */
  TRUST_DOMAIN_INVALID: { status: "invalid_argument", retry: false },
  /** A bundle document or its DER form cannot be read. */
  BUNDLE_MALFORMED: { status: "invalid_argument", retry: false },
  /** No bundle, or an empty one, for the trust domain that was asked for. */
  BUNDLE_NOT_FOUND: { status: "not_found", retry: true },
  /** The document breaks a rule of the X509-SVID profile; `details.reason` says which. */
  X509_SVID_INVALID: { status: "unauthenticated", retry: false },
  /** No valid path to an authority of the SVID's own trust domain; `details.reason` says why. */
  X509_SVID_UNTRUSTED: { status: "unauthenticated", retry: false },
  /** The token breaks a rule of the JWT-SVID profile; `details.reason` says which. */
  JWT_SVID_INVALID: { status: "unauthenticated", retry: false },
  /** Not signed by its own trust domain, not for this audience, or not valid now; `details.reason` says which. */
  JWT_SVID_UNTRUSTED: { status: "unauthenticated", retry: false },
  /** What should be signed cannot be a JWT-SVID; `details.reason` says why. */
  JWT_SVID_UNSIGNABLE: { status: "invalid_argument", retry: false },
  /** The request carries no bearer token, or several. */
  BEARER_MISSING: { status: "unauthenticated", retry: false },
  /** A bearer token was to be sent over a connection that is not confidential. */
  BEARER_EXPOSED: { status: "failed_precondition", retry: false },
  /** The peer showed no certificate where one is required. */
  PEER_ANONYMOUS: { status: "unauthenticated", retry: false },
  /** The peer was verified, and the authorizer refused it. */
  PEER_NOT_AUTHORIZED: { status: "permission_denied", retry: false },
  /** The TLS session was resumed, which would skip verification. */
  TLS_SESSION_RESUMED: { status: "unauthenticated", retry: false },
  /** The peer does not speak an application protocol that was asked for. */
  TLS_PROTOCOL_MISMATCH: { status: "unavailable", retry: false },
  /** The connection ended before the handshake did. */
  TLS_HANDSHAKE_FAILED: { status: "unavailable", retry: true },
  /** The address to listen on is taken, or not one of this machine's. */
  LISTEN_FAILED: { status: "unavailable", retry: true },
  /** A Workload API address is neither `unix:///path` nor `tcp://ip:port`. */
  ENDPOINT_ADDRESS_INVALID: { status: "invalid_argument", retry: false },
  /** No Workload API address was given and SPIFFE_ENDPOINT_SOCKET is not set. */
  ENDPOINT_ADDRESS_MISSING: { status: "failed_precondition", retry: false },
  /** A Workload API answer lacks a mandatory field or cannot be read; it was discarded. */
  WORKLOAD_API_RESPONSE_INVALID: { status: "internal", retry: true },
  /** The Workload API has no identity for this process (yet, or any more). */
  NO_IDENTITY_ISSUED: { status: "permission_denied", retry: true },
  /** The expected hint is in none of the SVIDs. */
  HINT_NOT_FOUND: { status: "not_found", retry: true },
  /** Certificate, key and bundle files cannot be read or do not belong together. */
  IDENTITY_FILES_INVALID: { status: "failed_precondition", retry: true },
  /** The source was closed. */
  SOURCE_CLOSED: { status: "failed_precondition", retry: false },
} as const;
SPIFFE_ERRORS satisfies ErrorTable;

/** A code of {@link SPIFFE_ERRORS}. */
export type SpiffeErrorCode = keyof typeof SPIFFE_ERRORS;
