import { concat } from "../der/bytes.ts";
import { DerReader } from "../der/der-reader.ts";
import { DerWriter, encode } from "../der/der-writer.ts";
import { contextGroupTag, contextTag, TAG } from "../der/tags.ts";
import { encodeTime } from "../der/time.ts";
import { inspectSpki, keyIdOf } from "../keys/public-key.ts";
import { oidElement } from "../x509/algorithm.ts";
import { KEY_USAGE } from "../x509/certificate.ts";
import { EMPTY_NAME, readName } from "../x509/name.ts";
import { OID } from "../x509/oids.ts";
import { randomSerialOctets, serialOctets } from "./serial.ts";
import type { AuthorityTemplate, CertificateTemplate } from "./template.ts";
import {
  authorityConstraints,
  extension,
  invalid,
  uriConstraintsValue,
  writeAlternativeNames,
} from "./write-extensions.ts";

const SECOND_MS = 1000;
const TIMES_MAX = 64;
const VERSION_3 = encode(contextGroupTag(0), Uint8Array.of(TAG.integer, 1, 2));
const SUBJECT_KEY_ID = concat(oidElement(OID.subjectKeyId), Uint8Array.of(TAG.octetString, 22));
const EXTENSIONS_MAX = 16;
/** Extensions this writer sets itself. */
const OWN: ReadonlySet<string> = new Set([
  OID.subjectKeyId,
  OID.authorityKeyId,
  OID.subjectAltName,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.basicConstraints,
  OID.nameConstraints,
]);

/** DER of a key usage extension, critical. */
function keyUsage(mask: number): Uint8Array {
  let octet = 0;
  for (let bit = 0; bit < 8; bit++) if (mask & (1 << bit)) octet |= 0x80 >> bit;
  const unused = Math.clz32(octet & -octet) === 32 ? 0 : 31 - Math.clz32(octet & -octet);
  const bits = Uint8Array.of(TAG.bitString, 2, unused, octet);
  return extension(OID.keyUsage, bits, { critical: true });
}

const LEAF_EXTENSIONS = concat(
  keyUsage(KEY_USAGE.digitalSignature | KEY_USAGE.keyEncipherment | KEY_USAGE.keyAgreement),
  extension(
    OID.extendedKeyUsage,
    encode(TAG.sequence, oidElement(OID.serverAuth), oidElement(OID.clientAuth)),
  ),
  extension(OID.basicConstraints, EMPTY_NAME, { critical: true }),
);
const AUTHORITY_KEY_USAGE = keyUsage(KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign);

/** What an issuer repeats in all its certificates. */
export interface IssuerParts {
  /** DER of the issuer's Name. */
  readonly name: Uint8Array;
  /** DER of the AlgorithmIdentifier. */
  readonly algorithm: Uint8Array;
  /** DER of the whole authority key identifier extension; empty when the issuer has no identifier. */
  readonly authorityKeyId: Uint8Array;
}

/** DER of an authority key identifier extension. */
export function authorityKeyIdExtension(keyId: Uint8Array | undefined): Uint8Array {
  if (keyId === undefined) return new Uint8Array(0);
  return extension(OID.authorityKeyId, encode(TAG.sequence, encode(contextTag(0), keyId)));
}

/** Key usage, basic and name constraints of an authority. */
export function authorityExtensions(template: Omit<AuthorityTemplate, "spki">): Uint8Array {
  const { pathLength, uriConstraints } = template;
  const critical = { critical: true };
  const constraints = extension(OID.basicConstraints, authorityConstraints(pathLength), critical);
  if (uriConstraints === undefined) return concat(AUTHORITY_KEY_USAGE, constraints);
  const names = extension(OID.nameConstraints, uriConstraintsValue(uriConstraints), critical);
  return concat(AUTHORITY_KEY_USAGE, constraints, names);
}

/** The exact bytes to sign, and what was chosen while writing them. */
export interface WrittenTbs {
  /** A view of the writer's buffer: used up before the next write. */
  readonly tbs: Uint8Array;
  readonly serial: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Writes TBSCertificates, one after the other, into one buffer. */
export class TbsWriter {
  readonly #writer = new DerWriter();
  readonly #times = new Map<number, Uint8Array>();
  #checkedName: Uint8Array = EMPTY_NAME;

  /**
   * @param own  The extensions that make it a leaf or an authority; a leaf's when absent.
   * @throws TEMPLATE_INVALID, PUBLIC_KEY_UNSUPPORTED
   */
  write(
    issuer: IssuerParts,
    template: CertificateTemplate,
    own: Uint8Array = LEAF_EXTENSIONS,
  ): WrittenTbs {
    const writer = this.#writer;
    const { spki, subject = EMPTY_NAME, uris, dnsNames = [] } = template;
    const notBefore = Math.floor(template.notBefore / SECOND_MS) * SECOND_MS;
    const notAfter = Math.floor(template.notAfter / SECOND_MS) * SECOND_MS;
    if (!(notBefore < notAfter)) throw invalid("validity is empty");
    inspectSpki(spki);
    this.#checkName(subject);
    const serial =
      template.serial === undefined ? randomSerialOctets() : serialOctets(template.serial);

    writer.reset();
    writeFurther(writer, template.extensions ?? []);
    if (uris.length + dnsNames.length > 0) {
      writeAlternativeNames(writer, { uris, dnsNames, critical: subject.length === 2 });
    } else if (subject.length === 2) throw invalid("neither subject nor name");
    writer.raw(issuer.authorityKeyId);
    const keyId = writer.mark();
    writer.primitive(TAG.octetString, keyIdOf(spki));
    writer.raw(SUBJECT_KEY_ID);
    writer.wrap(TAG.sequence, keyId);
    writer.raw(own);
    writer.wrap(TAG.sequence, 0);
    writer.wrap(contextGroupTag(3), 0);
    writer.raw(spki);
    writer.raw(subject);
    const validity = writer.mark();
    writer.raw(this.#time(notAfter));
    writer.raw(this.#time(notBefore));
    writer.wrap(TAG.sequence, validity);
    writer.raw(issuer.name);
    writer.raw(issuer.algorithm);
    writer.primitive(TAG.integer, serial);
    writer.raw(VERSION_3);
    writer.wrap(TAG.sequence, 0);
    return { tbs: writer.since(0), serial, notBefore, notAfter };
  }

  /** A subject is the same object for many certificates: its form is checked when it changes. */
  #checkName(name: Uint8Array): void {
    if (name === this.#checkedName) return;
    try {
      const reader = new DerReader(name);
      readName(reader);
      reader.finish();
    } catch (error) {
      throw invalid("subject is not a Name", error);
    }
    this.#checkedName = name;
  }

  #time(ms: number): Uint8Array {
    let encoded = this.#times.get(ms);
    if (encoded === undefined) {
      if (this.#times.size >= TIMES_MAX) this.#times.clear();
      encoded = encodeTime(ms);
      this.#times.set(ms, encoded);
    }
    return encoded;
  }
}

function writeFurther(
  writer: DerWriter,
  extensions: NonNullable<CertificateTemplate["extensions"]>,
): void {
  if (extensions.length > EXTENSIONS_MAX) throw invalid("too many extensions");
  const seen = new Set<string>();
  for (const { oid, value } of extensions.toReversed()) {
    if (OWN.has(oid) || seen.has(oid)) throw invalid(`extension ${oid} twice`);
    seen.add(oid);
    writer.raw(extension(oid, value));
  }
}
