import type { Signer } from "../keys/signer.ts";
import type { AlternativeName } from "../x509/certificate.ts";

/** A parsed certificate signing request; nothing in it is proven until {@link verifyCsr}. */
export interface Csr {
  readonly der: Uint8Array;
  /** The exact signed bytes. */
  readonly tbs: Uint8Array;
  /** DER of the subject's Name. */
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  readonly alternativeNames: readonly AlternativeName[];
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  /** Dotted OID. */
  readonly signatureAlgorithm: string;
  readonly signature: Uint8Array;
}

/**
 * Parses a PKCS#10 request, strictly. No crypto.
 *
 * @throws CSR_MALFORMED
 * @spec RFC 2986 §4
 */
export function parseCsr(der: Uint8Array): Csr {
  throw new Error(`not yet ${der.length}`);
}

/**
 * Proves that whoever made the request holds the key: checks the signature over the exact bytes, and the key itself.
 *
 * @throws PUBLIC_KEY_UNSUPPORTED, CSR_SIGNATURE_INVALID
 */
export function verifyCsr(csr: Csr): void {
  throw new Error(`not yet ${csr.der.length}`);
}

/** What a request asks for. */
export interface CsrTemplate {
  /** DER of the subject's Name; default empty. */
  readonly subject?: Uint8Array;
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
}

/** Writes and signs a PKCS#10 request. @throws TEMPLATE_INVALID */
export function createCsr(signer: Signer, template: CsrTemplate = {}): Uint8Array {
  throw new Error(`not yet ${signer.spki.length} ${template.uris?.length ?? 0}`);
}
