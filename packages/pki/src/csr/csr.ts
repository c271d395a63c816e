import { BonafideError } from "@bonafide/errors";
import { DerReader, malformed } from "../der/der-reader.ts";
import { encode } from "../der/der-writer.ts";
import { DerWriter } from "../der/der-writer.ts";
import { decodeOid } from "../der/oid.ts";
import { contextGroupTag, TAG } from "../der/tags.ts";
import { PKI_ERRORS } from "../errors.ts";
import { writeAlternativeNames } from "../issue/write-extensions.ts";
import { importSpki } from "../keys/public-key.ts";
import { type Signer, verifySignature } from "../keys/signer.ts";
import { PKI_LIMITS } from "../limits.ts";
import { oidElement, readAlgorithm, SIGNATURE_ALGORITHMS } from "../x509/algorithm.ts";
import type { AlternativeName } from "../x509/certificate.ts";
import { readExtensionList } from "../x509/extensions.ts";
import { type GeneralNames, readGeneralNames } from "../x509/general-names.ts";
import { EMPTY_NAME, readName } from "../x509/name.ts";
import { OID } from "../x509/oids.ts";
import { readSpki } from "../x509/spki.ts";

const CODE = "CSR_MALFORMED";

/** A parsed certificate signing request; nothing in it is proven until {@link verifyCsr}. */
export interface Csr {
  readonly der: Uint8Array;
  /** The exact signed bytes. */
  readonly tbs: Uint8Array;
  /** DER of the subject's Name. */
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  /** Names asked for; other extensions asked for are not read. */
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
 * @param der  At most `PKI_LIMITS.certificateBytes`; copied.
 * @throws CSR_MALFORMED
 * @spec RFC 2986 §4
 */
export function parseCsr(der: Uint8Array): Csr {
  if (der.length > PKI_LIMITS.certificateBytes) throw malformed(CODE, "request too large");
  const top = new DerReader(new Uint8Array(der), CODE);
  const outer = top.enter(TAG.sequence);
  top.finish();
  const tbs = outer.element(TAG.sequence);
  const signatureAlgorithm = readAlgorithm(outer.element(TAG.sequence), CODE);
  const signature = outer.octetBits();
  outer.finish();

  const wrapped = new DerReader(tbs, CODE);
  const body = wrapped.enter(TAG.sequence);
  if (body.smallUnsigned() !== 0) throw body.fail("version");
  const subject = readName(body);
  const spki = readSpki(body);
  const names = readRequestedNames(body.enter(contextGroupTag(0)));
  body.finish();
  return { der: top.bytes, tbs, subject, spki, ...names, signatureAlgorithm, signature };
}

function readRequestedNames(attributes: DerReader): GeneralNames {
  let names: GeneralNames | undefined;
  let count = 0;
  while (attributes.more) {
    if (++count > PKI_LIMITS.extensions) throw attributes.fail("too many attributes");
    const attribute = attributes.enter(TAG.sequence);
    const oid = decodeOid(attribute.content(TAG.oid), CODE);
    const values = attribute.enter(TAG.set);
    attribute.finish();
    if (oid !== OID.extensionRequest) continue;
    if (names !== undefined) throw attributes.fail("two extension requests");
    const extension = readExtensionList(values, CODE).get(OID.subjectAltName);
    names = { alternativeNames: [], uris: [], dnsNames: [] };
    if (extension === undefined) continue;
    const whole = new DerReader(extension.value, CODE);
    names = readGeneralNames(whole.enter(TAG.sequence));
    whole.finish();
  }
  return names ?? { alternativeNames: [], uris: [], dnsNames: [] };
}

/**
 * Proves that whoever made the request holds the key: checks the key, and the signature over the exact bytes.
 *
 * @throws PUBLIC_KEY_UNSUPPORTED  the key is weak, or not a point of its curve
 * @throws CSR_SIGNATURE_INVALID   the signature, or its algorithm
 */
export function verifyCsr(csr: Csr): void {
  const holds =
    SIGNATURE_ALGORITHMS.has(csr.signatureAlgorithm) &&
    verifySignature({
      algorithm: csr.signatureAlgorithm,
      message: csr.tbs,
      signature: csr.signature,
      publicKey: importSpki(csr.spki),
    });
  if (!holds) {
    const message = "the request is not signed by the key it names";
    throw new BonafideError(PKI_ERRORS, "CSR_SIGNATURE_INVALID", message);
  }
}

/** What a request asks for. */
export interface CsrTemplate {
  /** DER of the subject's Name (`encodeName`); default empty. */
  readonly subject?: Uint8Array;
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
}

/**
 * Writes and signs a PKCS#10 request.
 *
 * @throws TEMPLATE_INVALID
 */
export function createCsr(signer: Signer, template: CsrTemplate = {}): Uint8Array {
  const { subject = EMPTY_NAME, uris = [], dnsNames = [] } = template;
  const algorithm = SIGNATURE_ALGORITHMS.get(signer.algorithm);
  if (algorithm === undefined) {
    throw new BonafideError(PKI_ERRORS, "TEMPLATE_INVALID", "signer's algorithm");
  }
  const writer = new DerWriter(1024);
  if (uris.length + dnsNames.length > 0) {
    writeAlternativeNames(writer, { uris, dnsNames, critical: false });
    writer.wrap(TAG.sequence, 0);
    writer.wrap(TAG.set, 0);
    writer.raw(oidElement(OID.extensionRequest));
    writer.wrap(TAG.sequence, 0);
  }
  writer.wrap(contextGroupTag(0), 0);
  writer.raw(signer.spki);
  writer.raw(subject);
  writer.raw(Uint8Array.of(TAG.integer, 1, 0));
  writer.wrap(TAG.sequence, 0);
  const tbs = writer.take();
  const signature = encode(TAG.bitString, Uint8Array.of(0), signer.sign(tbs));
  return encode(TAG.sequence, tbs, algorithm.der, signature);
}
