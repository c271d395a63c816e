import type { ErrorTable } from "@bonafide/errors";

/** Everything the server refuses with a code of its own. */
export const SERVER_ERRORS = {
  /** The method is for administrators; the caller is not one. */
  ADMIN_REQUIRED: { status: "permission_denied", retry: false },
  /** The node was banned. */
  AGENT_BANNED: { status: "permission_denied", retry: false },
  /** The agent's SVID is past its end. */
  AGENT_EXPIRED: { status: "permission_denied", retry: false },
  /** The node can prove itself again, and does so instead of renewing. */
  AGENT_MUST_REATTEST: { status: "permission_denied", retry: false },
  /** The node is unknown, was evicted, or its SVID is older than its last eviction. */
  AGENT_NOT_ATTESTED: { status: "permission_denied", retry: false },
  /** No node has this ID. */
  AGENT_NOT_FOUND: { status: "not_found", retry: false },
  /** The method is for agents; the caller showed no agent's SVID. */
  AGENT_REQUIRED: { status: "permission_denied", retry: false },
  /**
   * The node did not prove what it claims. Every reason has the same text; the log has the
   * difference.
   */
  ATTESTATION_FAILED: { status: "invalid_argument", retry: false },
  /** The server has no attestor of this type. */
  ATTESTATION_TYPE_UNKNOWN: { status: "failed_precondition", retry: false },
  /** So many old authorities are published already that no new one is prepared by force: revoke some first. */
  AUTHORITIES_FULL: { status: "failed_precondition", retry: false },
  /** No authority has this id. */
  AUTHORITY_NOT_FOUND: { status: "not_found", retry: false },
  /** Nothing is prepared that could be activated. */
  AUTHORITY_NOT_PREPARED: { status: "failed_precondition", retry: false },
  /** No authority can sign right now, or the one to activate was published just now. */
  AUTHORITY_NOT_READY: { status: "unavailable", retry: true },
  /** The authority is to be revoked, but nobody was told to move away from it: taint it first. */
  AUTHORITY_NOT_TAINTED: { status: "failed_precondition", retry: false },
  /** The authority is in another state than the call needs; the message says in which. */
  AUTHORITY_STATE_WRONG: { status: "invalid_argument", retry: false },
  /** The call is for servers that have an upstream authority, or that have none; the message says which. */
  AUTHORITY_UPSTREAM_MISMATCH: { status: "failed_precondition", retry: false },
  /** A bundle of this trust domain is here already; set it to replace it. */
  BUNDLE_EXISTS: { status: "already_exists", retry: false },
  /** The bundle cannot be deleted as long as entries federate with its trust domain. */
  BUNDLE_IN_USE: { status: "failed_precondition", retry: false },
  /**
   * Another trust domain's bundle endpoint did not answer, did not prove itself, or answered with
   * something else than a document. The last good bundle stays in force.
   */
  BUNDLE_FETCH_FAILED: { status: "unavailable", retry: true },
  /** What was given as another trust domain's bundle cannot be read, or is too large. */
  BUNDLE_INVALID: { status: "invalid_argument", retry: false },
  /** The server holds no bundle of this trust domain, or none yet. */
  BUNDLE_NOT_FOUND: { status: "not_found", retry: true },
  /**
   * The bundle that was fetched has a lower sequence than the one that was fetched before it, which
   * stays in force. If that was meant, as after a restore over there, set the bundle by hand.
   */
  BUNDLE_SEQUENCE_FELL: { status: "failed_precondition", retry: false },
  /** The caller's certificate does not chain to an authority of its trust domain. */
  CALLER_CERTIFICATE_REFUSED: { status: "unauthenticated", retry: false },
  /**
   * The certificate request cannot be read, is not signed by its own key, or has a key that is
   * not accepted.
   */
  CSR_INVALID: { status: "invalid_argument", retry: false },
  /** The method is for downstream servers; the caller has no entry with the downstream flag. */
  DOWNSTREAM_REQUIRED: { status: "permission_denied", retry: false },
  /** An entry with this SPIFFE ID, parent and selectors exists. */
  ENTRY_EXISTS: { status: "already_exists", retry: false },
  /** A field of the entry is not as it must be; the message names it. */
  ENTRY_INVALID: { status: "invalid_argument", retry: false },
  /** No entry has this ID. */
  ENTRY_NOT_FOUND: { status: "not_found", retry: false },
  /**
   * The entry gives rights that only a full administrator may give: its SPIFFE ID, or one that it
   * leads to, holds a grant or a flag.
   */
  ENTRY_RESERVED: { status: "permission_denied", retry: false },
  /** The endpoint proves itself by an X509-SVID of a trust domain whose bundle is not here. */
  FEDERATION_BUNDLE_MISSING: { status: "failed_precondition", retry: false },
  /** There is a federation relationship with this trust domain already; update it. */
  FEDERATION_EXISTS: { status: "already_exists", retry: false },
  /** A field of the federation relationship is missing or malformed; the message names it. */
  FEDERATION_INVALID: { status: "invalid_argument", retry: false },
  /** There is no federation relationship with this trust domain. */
  FEDERATION_NOT_FOUND: { status: "not_found", retry: false },
  /** The SPIFFE ID lies under `/spire`, which belongs to servers and agents; the message names the field. */
  ID_RESERVED: { status: "invalid_argument", retry: false },
  /** A token of this value exists. */
  JOIN_TOKEN_EXISTS: { status: "already_exists", retry: false },
  /** The chosen token has fewer than 16 characters: it could be guessed while it is good. */
  JOIN_TOKEN_TOO_SHORT: { status: "invalid_argument", retry: false },
  /** The method exists, but not on this socket. */
  METHOD_UNAVAILABLE_HERE: { status: "unimplemented", retry: false },
  /** More work waits than the limit allows. */
  OVERLOADED: { status: "resource_exhausted", retry: true },
  /** The page token was not made by this list. */
  PAGE_TOKEN_INVALID: { status: "invalid_argument", retry: false },
  /**
   * The expired node may not recover: outside the window, evicted, a later SVID of it was used
   * since, or the proof does not hold.
   */
  RECOVERY_REFUSED: { status: "permission_denied", retry: false },
  /** A field of the request is missing or malformed; the message names it. */
  REQUEST_INVALID: { status: "invalid_argument", retry: false },
  /** The next message of a stream did not come in time. */
  REQUEST_TIMED_OUT: { status: "deadline_exceeded", retry: true },
  /** An option of the server is out of range; the message names it. */
  SERVER_OPTIONS_INVALID: { status: "invalid_argument", retry: false },
  /** The caller holds a newer state than this server, which is catching up. */
  STATE_AHEAD: { status: "unavailable", retry: true },
  /**
   * The store has been out of reach for longer than `max_staleness`, so the server no longer
   * trusts its memory.
   */
  STORE_STALE: { status: "unavailable", retry: true },
  /** Certificate or key of the bundle endpoint cannot be read, or do not belong together. */
  WEB_CERTIFICATE_UNUSABLE: { status: "invalid_argument", retry: false },
} as const;
SERVER_ERRORS satisfies ErrorTable;

/** A code of {@link SERVER_ERRORS}. */
export type ServerErrorCode = keyof typeof SERVER_ERRORS;
