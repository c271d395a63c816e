import type { KeyObject } from "node:crypto";
import type { AuthorityTemplate, CertificateTemplate } from "../issue/certificate-issuer.ts";
import type { Certificate } from "../x509/certificate.ts";

/** A certificate with its key and the chain a peer would present. */
export interface TestIdentity {
  readonly certificate: Certificate;
  readonly privateKey: KeyObject;
  /** Leaf first, the root left out. */
  readonly chain: readonly Certificate[];
  /** PEM of `chain`. */
  readonly chainPem: string;
  /** PKCS#8 PEM. */
  readonly keyPem: string;
}

/** An authority for tests: makes well-formed identities. For malformed ones see `makeCertificate`. */
export class TestCa {
  readonly certificate: Certificate;

  /**
   * @param uri   Such as `spiffe://example.org`.
   * @param options.now  Epoch ms to date certificates by; default the clock's.
   */
  constructor(uri: string, options: { readonly now?: number } = {}) {
    throw new Error(`not yet ${uri} ${options.now ?? 0}`);
  }

  /** PEM of the root. */
  get pem(): string {
    throw new Error("not yet");
  }

  /** A leaf for one URI, valid for an hour unless the template says otherwise. */
  issue(uri: string, template: Partial<CertificateTemplate> = {}): TestIdentity {
    throw new Error(`not yet ${uri} ${template.notAfter ?? 0}`);
  }

  /** An authority below this one. */
  intermediate(template: Partial<AuthorityTemplate> = {}): TestCa {
    throw new Error(`not yet ${template.notAfter ?? 0}`);
  }
}
