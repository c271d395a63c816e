import type { Signer } from "../keys/signer.ts";
import type { Certificate } from "../x509/certificate.ts";

/** What every certificate has. Times are epoch ms, cut to the second. */
export interface CertificateTemplate {
  /** DER of the subject's public key; checked by whoever parsed it. */
  readonly spki: Uint8Array;
  /** URI names, each 1..2048 characters of 0x21 to 0x7E. */
  readonly uris: readonly string[];
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
  /** Authorities allowed below; default no limit. */
  readonly pathLength?: number;
  /** URI name constraints; default none. */
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
  readonly notAfter: number;
}

/** A certificate that waits for a signature from outside this process. */
export interface UnsignedCertificate {
  /** The bytes to sign. */
  readonly tbs: Uint8Array;
  /** Adds the signature. */
  finish(signature: Uint8Array): IssuedCertificate;
}

/** Options of {@link CertificateIssuer}. */
export interface CertificateIssuerOptions {
  /**
   * Verify each signature before the certificate leaves: `always` costs about 65 us and is meant for signers outside
   * this process, which can be faulty in ways that a key in memory is not. Default `never`.
   */
  readonly selfCheck?: "always" | "never";
}

/**
 * Signs certificates in the name of one authority. What does not change from one to the next is encoded once.
 *
 * Leaf: key usage digitalSignature, keyEncipherment, keyAgreement (critical), EKU serverAuth and clientAuth, basic
 * constraints CA=false (critical). Authority: keyCertSign, cRLSign (critical), CA=true (critical). Both: key identifiers.
 */
export class CertificateIssuer {
  /**
   * @param authority  The certificate of the authority.
   * @param signer     Its key.
   * @throws TEMPLATE_INVALID  the certificate is no authority's, or its key is not the signer's
   */
  constructor(authority: Certificate, signer: Signer, options: CertificateIssuerOptions = {}) {
    void [authority, signer, options];
  }

  /** @throws TEMPLATE_INVALID, SELF_CHECK_FAILED */
  issueLeaf(template: CertificateTemplate): IssuedCertificate {
    throw new Error(`not yet ${template.uris.length}`);
  }

  /** @throws TEMPLATE_INVALID, SELF_CHECK_FAILED */
  issueAuthority(template: AuthorityTemplate): IssuedCertificate {
    throw new Error(`not yet ${template.uris.length}`);
  }

  /** As {@link issueLeaf}, for a signer that answers later. */
  prepareLeaf(template: CertificateTemplate): UnsignedCertificate {
    throw new Error(`not yet ${template.uris.length}`);
  }
}

/**
 * Makes a self-signed authority: the certificate of a root.
 *
 * @throws TEMPLATE_INVALID
 */
export function issueRoot(
  signer: Signer,
  template: Omit<AuthorityTemplate, "spki">,
): IssuedCertificate {
  throw new Error(`not yet ${signer.spki.length} ${template.uris.length}`);
}

/** A random serial number of 127 bits, never 0; for a template whose subject repeats it. */
export function randomSerial(): bigint {
  throw new Error("not yet");
}
