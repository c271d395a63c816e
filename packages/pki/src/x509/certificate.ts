/** One name of a subject alternative name extension, exactly as it stands there. */
export interface AlternativeName {
  readonly kind: "uri" | "dns" | "email" | "ip" | "directory" | "registered-id" | "other";
  /** Content octets; for `uri`, `dns` and `email` these are ASCII. */
  readonly bytes: Uint8Array;
}

/** One extension as it stands in the certificate. */
export interface Extension {
  readonly critical: boolean;
  /** The content of the OCTET STRING: the DER of the extension's own type. */
  readonly value: Uint8Array;
}

/** URI name constraints of an authority (RFC 5280 §4.2.1.10), hosts in lower case. */
export interface UriConstraints {
  /** Undefined when the authority does not restrict URIs to a set. */
  readonly permitted: readonly string[] | undefined;
  readonly excluded: readonly string[];
}

/**
 * A parsed X.509 version 3 certificate. Plain data: nothing in it is proven.
 *
 * All byte fields are views of one private copy of the input.
 */
export interface Certificate {
  /** The whole certificate. */
  readonly der: Uint8Array;
  /** The exact signed bytes. */
  readonly tbs: Uint8Array;
  readonly serial: bigint;
  /** Decimal, as SPIRE's APIs carry it. */
  readonly serialText: string;
  /** Dotted OID; inner and outer were compared. */
  readonly signatureAlgorithm: string;
  readonly signature: Uint8Array;
  /** DER of the issuer's Name. */
  readonly issuer: Uint8Array;
  /** DER of the subject's Name. */
  readonly subject: Uint8Array;
  /** Epoch ms, whole seconds. */
  readonly notBefore: number;
  /** Epoch ms, whole seconds; the certificate is valid up to and including this instant. */
  readonly notAfter: number;
  /** DER of the SubjectPublicKeyInfo; `publicKeyOf` imports it. */
  readonly spki: Uint8Array;
  readonly isAuthority: boolean;
  /** Authorities allowed below this one, or undefined for no limit. */
  readonly pathLength: number | undefined;
  /** Bits of {@link KEY_USAGE}, or undefined when the extension is absent. */
  readonly keyUsage: number | undefined;
  /** Dotted OIDs, or undefined when the extension is absent. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly subjectKeyId: Uint8Array | undefined;
  readonly authorityKeyId: Uint8Array | undefined;
  readonly alternativeNames: readonly AlternativeName[];
  /** The URI names of `alternativeNames`, in order: only characters 0x21 to 0x7E. */
  readonly uris: readonly string[];
  /** The DNS names of `alternativeNames`, in order: only characters 0x21 to 0x7E. */
  readonly dnsNames: readonly string[];
  readonly uriConstraints: UriConstraints | undefined;
  /** The first critical extension that is not understood: such a certificate is parsed, never believed. */
  readonly criticalUnknown: string | undefined;
  /** Every extension by dotted OID, the known ones too. */
  readonly extensions: ReadonlyMap<string, Extension>;
}

/** Bits of a key usage extension (RFC 5280 §4.2.1.3). */
export const KEY_USAGE = {
  digitalSignature: 1,
  contentCommitment: 2,
  keyEncipherment: 4,
  dataEncipherment: 8,
  keyAgreement: 16,
  keyCertSign: 32,
  cRLSign: 64,
} as const;
