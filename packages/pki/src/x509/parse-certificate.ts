import { sameBytes, toHex } from "../der/bytes.ts";
import { DerReader, malformed } from "../der/der-reader.ts";
import { contextGroupTag, contextTag, TAG } from "../der/tags.ts";
import { readTime } from "../der/time.ts";
import { PKI_LIMITS } from "../limits.ts";
import { readAlgorithm } from "./algorithm.ts";
import type { Certificate } from "./certificate.ts";
import { readExtensions } from "./extensions.ts";
import { readName } from "./name.ts";
import { readSpki } from "./spki.ts";

const CODE = "CERTIFICATE_MALFORMED";
const SERIAL_OCTETS_MAX = 20;
const VERSION_3 = 2;

/**
 * Parses one certificate, strictly: DER only, version 3, no trailing byte at any level, each extension once.
 *
 * @param der  One certificate, at most `PKI_LIMITS.certificateBytes`; copied.
 * @throws CERTIFICATE_MALFORMED  anything else
 * @spec RFC 5280 §4.1
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > PKI_LIMITS.certificateBytes) throw malformed(CODE, "certificate too large");
  // A private copy: nobody can change what was judged, and a view does not pin a larger buffer.
  const top = new DerReader(new Uint8Array(der), CODE);
  const certificate = readCertificate(top);
  top.finish();
  return certificate;
}

/**
 * Parses certificates that stand one after the other, as the Workload API carries them.
 *
 * @param der  0..`PKI_LIMITS.certificates` certificates.
 * @throws CERTIFICATE_MALFORMED  anything else, or bytes left over
 */
export function parseCertificates(der: Uint8Array): readonly Certificate[] {
  const top = new DerReader(der, CODE);
  const certificates: Certificate[] = [];
  while (top.more) {
    if (certificates.length === PKI_LIMITS.certificates) {
      throw malformed(CODE, "too many certificates");
    }
    certificates.push(parseCertificate(top.element(TAG.sequence)));
  }
  return certificates;
}

function readCertificate(top: DerReader): Certificate {
  const outer = top.enter(TAG.sequence);
  const tbs = outer.element(TAG.sequence);
  const algorithmElement = outer.element(TAG.sequence);
  const signature = outer.octetBits();
  outer.finish();

  const wrapped = new DerReader(tbs, CODE);
  const body = wrapped.enter(TAG.sequence);
  const version = body.enter(contextGroupTag(0));
  if (version.smallUnsigned() !== VERSION_3) throw body.fail("not version 3");
  version.finish();
  const serial = BigInt(`0x${toHex(body.unsigned(SERIAL_OCTETS_MAX))}`);
  if (!sameBytes(body.element(TAG.sequence), algorithmElement)) {
    throw body.fail("two signature algorithms");
  }
  const issuer = readName(body);
  const validity = body.enter(TAG.sequence);
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  validity.finish();
  const subject = readName(body);
  const spki = readSpki(body);
  // Unique identifiers: allowed by the syntax, never used.
  if (body.peek() === contextTag(1)) body.content(contextTag(1));
  if (body.peek() === contextTag(2)) body.content(contextTag(2));
  const extensions = readExtensions(
    body.peek() === contextGroupTag(3) ? body.enter(contextGroupTag(3)) : undefined,
    CODE,
  );
  body.finish();
  return {
    der: top.bytes,
    tbs,
    serial,
    serialText: serial.toString(),
    signatureAlgorithm: readAlgorithm(algorithmElement, CODE),
    signature,
    issuer,
    subject,
    notBefore,
    notAfter,
    spki,
    ...extensions,
  };
}
