import type { ErrorTable } from "@bonafide/errors";

/**
 * Error codes of the agent. Those of the Workload API carry no more than the caller's own facts (ADR-0073).
 *
 * @stability stable
 */
export const AGENT_ERRORS = {
  /** The header `workload.spiffe.io: true` is missing, doubled or otherwise spelt. */
  WORKLOAD_HEADER_MISSING: { status: "invalid_argument", retry: false },
  /** The caller was seen and has no identity. */
  NO_IDENTITY_ISSUED: { status: "permission_denied", retry: true },
  /** The caller's facts changed while its stream was open. */
  CALLER_CHANGED: { status: "permission_denied", retry: true },
  /** The caller could not be looked at. */
  CALLER_NOT_ATTESTED: { status: "unavailable", retry: true },
  /** The agent has not heard of its entries yet, or holds no valid SVID for the caller and can get none. */
  AGENT_NOT_READY: { status: "unavailable", retry: true },
  /** The node's clock is too far off for anything to be issued. */
  CLOCK_SKEWED: { status: "unavailable", retry: true },
  /** The caller's user holds or asks for too much at once. */
  CALLER_LIMIT_EXCEEDED: { status: "unavailable", retry: true },
  /** The JWT-SVID that a caller had validated is not accepted; `details.reason` says why. */
  JWT_SVID_REFUSED: { status: "invalid_argument", retry: false },
  /** The admin socket is for root and the agent's own user. */
  ADMIN_NOT_ALLOWED: { status: "permission_denied", retry: false },
  /** No decision of that id is remembered. */
  DECISION_NOT_FOUND: { status: "not_found", retry: false },
  /** No process of that number runs. */
  PROCESS_NOT_FOUND: { status: "not_found", retry: false },
  /** A mandatory field of a request is missing, or makes no sense. */
  REQUEST_INVALID: { status: "invalid_argument", retry: false },
  /** A file of the data folder is damaged, of another trust domain, or readable to others. */
  AGENT_STATE_INVALID: { status: "failed_precondition", retry: false },
  /** The data folder cannot be read or written. */
  AGENT_STATE_UNAVAILABLE: { status: "unavailable", retry: true },
  /** Another agent runs on the data folder. */
  AGENT_STATE_LOCKED: { status: "failed_precondition", retry: false },
  /** Neither a bundle nor a pinned state nor insecure bootstrap was given. */
  BOOTSTRAP_MISSING: { status: "failed_precondition", retry: false },
  /** The bootstrap bundle is unreadable or of another trust domain. */
  BOOTSTRAP_BUNDLE_INVALID: { status: "invalid_argument", retry: false },
  /** The server sent something that no server of ours sends. */
  SERVER_ANSWER_INVALID: { status: "internal", retry: true },
  /** The agent has to stop; `details.cause` is the code that `why` explains. */
  AGENT_STOPPED: { status: "failed_precondition", retry: false },
} as const;
AGENT_ERRORS satisfies ErrorTable;

/** A code of {@link AGENT_ERRORS}. */
export type AgentErrorCode = keyof typeof AGENT_ERRORS;
