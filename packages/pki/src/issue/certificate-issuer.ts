import { BonafideError } from "@bonafide/errors";
import { sameBytes } from "../der/bytes.ts";
import { DerWriter } from "../der/der-writer.ts";
import { TAG } from "../der/tags.ts";
import { PKI_ERRORS } from "../errors.ts";
import { keyIdOf, publicKeyOf } from "../keys/public-key.ts";
import { type Signer, verifySignature } from "../keys/signer.ts";
import { SIGNATURE_ALGORITHMS } from "../x509/algorithm.ts";
import { type Certificate, KEY_USAGE } from "../x509/certificate.ts";
import { EMPTY_NAME } from "../x509/name.ts";
import { serialNumber } from "./serial.ts";
import {
  authorityExtensions,
  authorityKeyIdExtension,
  type IssuerParts,
  TbsWriter,
  type WrittenTbs,
} from "./tbs-writer.ts";
import type {
  AuthorityTemplate,
  CertificateTemplate,
  IssuedCertificate,
  UnsignedCertificate,
} from "./template.ts";
import { invalid } from "./write-extensions.ts";

/** Options of {@link CertificateIssuer} and {@link issueRoot}. */
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
 * Whether a name may be issued, and for how long, is the caller's to decide.
 */
export class CertificateIssuer {
  readonly #assembler: Assembler;
  readonly #signer: Signer;

  /**
   * @param authority  The certificate of the authority.
   * @param signer     Its key.
   * @throws TEMPLATE_INVALID  the certificate is no authority's, or its key is not the signer's
   */
  constructor(authority: Certificate, signer: Signer, options: CertificateIssuerOptions = {}) {
    const { keyUsage, isAuthority } = authority;
    const maySign = keyUsage === undefined || (keyUsage & KEY_USAGE.keyCertSign) !== 0;
    if (!isAuthority || !maySign) throw invalid("issuer is not an authority");
    if (authority.subject.length === EMPTY_NAME.length) throw invalid("issuer has no subject");
    this.#signer = signer;
    this.#assembler = new Assembler(signer, options, {
      name: authority.subject,
      authorityKeyId: authorityKeyIdExtension(authority.subjectKeyId),
    });
    if (!sameBytes(authority.spki, signer.spki)) throw invalid("signer is not the issuer's key");
  }

  /**
   * Signs a leaf.
   *
   * @throws TEMPLATE_INVALID, PUBLIC_KEY_UNSUPPORTED, SELF_CHECK_FAILED
   */
  issueLeaf(template: CertificateTemplate): IssuedCertificate {
    const written = this.#assembler.write(template);
    return this.#assembler.finish(written, this.#signer.sign(written.tbs));
  }

  /**
   * Signs an authority below this one.
   *
   * @throws TEMPLATE_INVALID, PUBLIC_KEY_UNSUPPORTED, SELF_CHECK_FAILED
   */
  issueAuthority(template: AuthorityTemplate): IssuedCertificate {
    const written = this.#assembler.write(template, authorityExtensions(template));
    return this.#assembler.finish(written, this.#signer.sign(written.tbs));
  }

  /**
   * As {@link issueLeaf}, for a signer that answers later.
   *
   * @throws TEMPLATE_INVALID, PUBLIC_KEY_UNSUPPORTED
   */
  prepareLeaf(template: CertificateTemplate): UnsignedCertificate {
    return this.#assembler.prepare(template);
  }

  /**
   * As {@link issueAuthority}, for a signer that answers later.
   *
   * @throws TEMPLATE_INVALID, PUBLIC_KEY_UNSUPPORTED
   */
  prepareAuthority(template: AuthorityTemplate): UnsignedCertificate {
    return this.#assembler.prepare(template, authorityExtensions(template));
  }
}

/** The public half of a signer, all that writing a certificate needs. */
type SignerName = Pick<Signer, "algorithm" | "spki">;

/** Writes and completes certificates of one issuer. */
class Assembler {
  readonly #signer: SignerName;
  readonly #selfCheck: boolean;
  readonly #parts: IssuerParts;
  readonly #writer = new TbsWriter();
  readonly #outer = new DerWriter();

  constructor(
    signer: SignerName,
    options: CertificateIssuerOptions,
    parts: Omit<IssuerParts, "algorithm">,
  ) {
    const algorithm = SIGNATURE_ALGORITHMS.get(signer.algorithm);
    if (algorithm === undefined) throw invalid("signer's algorithm");
    this.#signer = signer;
    this.#selfCheck = options.selfCheck === "always";
    this.#parts = { ...parts, algorithm: algorithm.der };
  }

  write(template: CertificateTemplate, own?: Uint8Array): WrittenTbs {
    return this.#writer.write(this.#parts, template, own);
  }

  prepare(template: CertificateTemplate, own?: Uint8Array): UnsignedCertificate {
    const written = this.write(template, own);
    const tbs = written.tbs.slice();
    return { tbs, finish: (signature) => this.finish({ ...written, tbs }, signature) };
  }

  finish(written: WrittenTbs, signature: Uint8Array): IssuedCertificate {
    if (this.#selfCheck) this.#check(written.tbs, signature);
    const writer = this.#outer;
    writer.reset();
    writer.bitString(signature);
    writer.raw(this.#parts.algorithm);
    writer.raw(written.tbs);
    writer.wrap(TAG.sequence, 0);
    return new Issued(writer.take(), written);
  }

  #check(tbs: Uint8Array, signature: Uint8Array): void {
    const publicKey = publicKeyOf(this.#signer);
    const { algorithm } = this.#signer;
    if (!verifySignature({ algorithm, message: tbs, signature, publicKey })) {
      const message = "the signature just made does not verify";
      throw new BonafideError(PKI_ERRORS, "SELF_CHECK_FAILED", message);
    }
  }
}

class Issued implements IssuedCertificate {
  readonly der: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly #serial: Uint8Array;

  constructor(der: Uint8Array, written: WrittenTbs) {
    this.der = der;
    this.notBefore = written.notBefore;
    this.notAfter = written.notAfter;
    this.#serial = written.serial;
  }

  /** Made when asked for: turning octets into decimal costs as much as writing an extension. */
  get serialText(): string {
    return serialNumber(this.#serial).toString();
  }
}

/**
 * Makes a self-signed authority: the certificate of a root.
 *
 * @throws TEMPLATE_INVALID   also without a subject: an authority is found by it
 * @throws SELF_CHECK_FAILED
 */
export function issueRoot(
  signer: Signer,
  template: Omit<AuthorityTemplate, "spki">,
  options: CertificateIssuerOptions = {},
): IssuedCertificate {
  const unsigned = prepareRoot(signer, template, options);
  return unsigned.finish(signer.sign(unsigned.tbs));
}

/** As {@link issueRoot}, for a signer that answers later. @throws TEMPLATE_INVALID */
export function prepareRoot(
  signer: SignerName,
  template: Omit<AuthorityTemplate, "spki">,
  options: CertificateIssuerOptions = {},
): UnsignedCertificate {
  const { subject = EMPTY_NAME } = template;
  if (subject.length === EMPTY_NAME.length) throw invalid("an authority has a subject");
  const assembler = new Assembler(signer, options, {
    name: subject,
    authorityKeyId: authorityKeyIdExtension(keyIdOf(signer.spki)),
  });
  const whole = { ...template, spki: signer.spki };
  return assembler.prepare(whole, authorityExtensions(template));
}
