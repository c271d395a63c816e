/** What every certificate has. Times are epoch ms, cut to the second. */
export interface CertificateTemplate {
  /** DER of the subject's public key; one that is not accepted is refused. */
  readonly spki: Uint8Array;
  /** URI names, each 1..2048 characters of 0x21 to 0x7E. */
  readonly uris: readonly string[];
  /** DNS names, written as given. */
  readonly dnsNames?: readonly string[];
  /** DER of the subject's Name (`encodeName`); default empty, and the names are then critical. */
  readonly subject?: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Serial number, 1..2^128-1; default random. */
  readonly serial?: bigint;
  /** Further extensions, not critical: dotted OID and DER value. */
  readonly extensions?: readonly { readonly oid: string; readonly value: Uint8Array }[];
}

/** What an authority's certificate has besides. */
export interface AuthorityTemplate extends CertificateTemplate {
  /** Authorities allowed below, 0..127; default no limit. */
  readonly pathLength?: number;
  /** URI name constraints (critical); default none. */
  readonly uriConstraints?: {
    readonly permitted?: readonly string[];
    readonly excluded?: readonly string[];
  };
}

/** A certificate just signed. */
export interface IssuedCertificate {
  readonly der: Uint8Array;
  /** Decimal serial number. */
  readonly serialText: string;
  /** Epoch ms as written, whole seconds. */
  readonly notBefore: number;
  /** Epoch ms as written, whole seconds. */
  readonly notAfter: number;
}

/** A certificate that waits for a signature from outside this process. */
export interface UnsignedCertificate {
  /** The bytes to sign. */
  readonly tbs: Uint8Array;
  /**
   * Adds the signature.
   *
   * @throws SELF_CHECK_FAILED  the signature does not verify, when the issuer checks
   */
  finish(signature: Uint8Array): IssuedCertificate;
}
