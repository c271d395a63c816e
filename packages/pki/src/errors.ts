import type { ErrorTable } from "@bonafide/errors";

/**
 * The closed table of this package's codes.
 *
 * `DER_*`, `PEM_*`, `CERTIFICATE_MALFORMED` and `CSR_MALFORMED` say that bytes are not what they claim to be. `PATH_*`
 * say why a chain was not believed. The rest is about what we were asked to make.
 */
export const PKI_ERRORS = {
  /** Bytes are not strict DER. */
  DER_MALFORMED: { status: "invalid_argument", retry: false },
  /** Text is not strict PEM, or holds a block of another kind. */
  PEM_MALFORMED: { status: "invalid_argument", retry: false },
  /** Not an X.509 version 3 certificate as RFC 5280 has it. */
  CERTIFICATE_MALFORMED: { status: "invalid_argument", retry: false },
  /** Not a PKCS#10 request. */
  CSR_MALFORMED: { status: "invalid_argument", retry: false },
  /** The request is not signed by the key it names. */
  CSR_SIGNATURE_INVALID: { status: "invalid_argument", retry: false },
  /** A public key of a kind, curve or size that is not accepted, or not a point of its curve. */
  PUBLIC_KEY_UNSUPPORTED: { status: "invalid_argument", retry: false },
  /** Not a private key of a kind this package handles. */
  PRIVATE_KEY_UNSUPPORTED: { status: "invalid_argument", retry: false },
  /** What should be written cannot be written as a valid certificate or request. */
  TEMPLATE_INVALID: { status: "invalid_argument", retry: false },
  /** The signature just made does not verify: the signer is faulty. Nothing was issued. */
  SELF_CHECK_FAILED: { status: "internal", retry: true },
  /** No certificate was presented. */
  PATH_EMPTY: { status: "unauthenticated", retry: false },
  /** More certificates presented than the limit. */
  PATH_TOO_LONG: { status: "unauthenticated", retry: false },
  /** There is no authority to judge by. */
  PATH_NO_ANCHOR: { status: "unauthenticated", retry: false },
  /** The leaf is itself an authority. */
  PATH_LEAF_IS_AUTHORITY: { status: "unauthenticated", retry: false },
  /** The leaf may sign certificates or revocation lists. */
  PATH_LEAF_KEY_USAGE: { status: "unauthenticated", retry: false },
  /** A certificate of the path is past its end. */
  PATH_EXPIRED: { status: "unauthenticated", retry: false },
  /** A certificate of the path has not begun. */
  PATH_NOT_YET_VALID: { status: "unauthenticated", retry: true },
  /** A critical extension that is not understood. */
  PATH_CRITICAL_EXTENSION: { status: "unauthenticated", retry: false },
  /** An issuer is not an authority. */
  PATH_ISSUER_NOT_AUTHORITY: { status: "unauthenticated", retry: false },
  /** An issuer may not sign certificates. */
  PATH_ISSUER_KEY_USAGE: { status: "unauthenticated", retry: false },
  /** More authorities below an issuer than it allows. */
  PATH_LENGTH_EXCEEDED: { status: "unauthenticated", retry: false },
  /** A name that an issuer may not vouch for. */
  PATH_NAME_CONSTRAINT: { status: "unauthenticated", retry: false },
  /** A signature does not verify under the issuer's key. */
  PATH_SIGNATURE_INVALID: { status: "unauthenticated", retry: false },
  /** A signature algorithm or an issuer's key that is not accepted. */
  PATH_SIGNATURE_WEAK: { status: "unauthenticated", retry: false },
  /** The search for a path took more signature checks than the limit. */
  PATH_TOO_MANY_SIGNATURES: { status: "unauthenticated", retry: false },
  /** No path leads to an authority we hold. */
  PATH_UNKNOWN_AUTHORITY: { status: "unauthenticated", retry: false },
} as const;
PKI_ERRORS satisfies ErrorTable;

/** A code of {@link PKI_ERRORS}. */
export type PkiErrorCode = keyof typeof PKI_ERRORS;
