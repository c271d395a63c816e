import type { KeyObject } from "node:crypto";
import { CertificateIssuer, issueRoot } from "../issue/certificate-issuer.ts";
import type { AuthorityTemplate, CertificateTemplate } from "../issue/template.ts";
import { encodePrivateKey, generateKey, type GeneratedKey } from "../keys/private-key.ts";
import { keySigner, type Signer } from "../keys/signer.ts";
import { formatCertificatesPem, formatPem } from "../pem.ts";
import type { Certificate } from "../x509/certificate.ts";
import { encodeName } from "../x509/name.ts";
import { parseCertificate } from "../x509/parse-certificate.ts";

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

/** Options of {@link TestCa}. */
export interface TestCaOptions {
  /** Epoch ms to date certificates by; default the clock's. */
  readonly now?: number;
  /** Kind of the authority's key; default `ec-p256`. */
  readonly algorithm?: "ec-p256" | "ec-p384" | "ed25519";
  /** Common name; two authorities with the same one are told apart by their keys only. Default the URI. */
  readonly commonName?: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** An authority for tests: makes well-formed identities. For malformed ones see `makeCertificate`. */
export class TestCa {
  readonly certificate: Certificate;
  readonly signer: Signer;
  readonly #uri: string;
  readonly #now: number;
  readonly #issuer: CertificateIssuer;
  /** What leaves of this authority present above themselves. */
  readonly #above: readonly Certificate[];

  /** @param uri  Such as `spiffe://example.org`. */
  constructor(uri: string, options: TestCaOptions = {}) {
    const { now = Date.now(), algorithm = "ec-p256", commonName = uri } = options;
    const parent = parents.get(options);
    const key = generateKey(algorithm);
    this.signer = keySigner(key.privateKey);
    this.#uri = uri;
    this.#now = now;
    const template: AuthorityTemplate = {
      spki: key.spki,
      uris: [uri],
      subject: encodeName([
        { type: "O", value: "TEST" },
        { type: "CN", value: commonName },
      ]),
      notBefore: now - MINUTE_MS,
      notAfter: now + DAY_MS,
      ...parent?.template,
    };
    const issued =
      parent === undefined
        ? issueRoot(this.signer, template)
        : parent.ca.#issuer.issueAuthority(template);
    this.certificate = parseCertificate(issued.der);
    this.#above = parent === undefined ? [] : [this.certificate, ...parent.ca.#above];
    this.#issuer = new CertificateIssuer(this.certificate, this.signer);
  }

  /** PEM of the authority's certificate. */
  get pem(): string {
    return formatCertificatesPem([this.certificate]);
  }

  /**
   * A leaf for one URI, P-256, valid for an hour unless the template says otherwise.
   *
   * @param key  The leaf's key; default a new one.
   */
  issue(
    uri: string,
    template: Partial<CertificateTemplate> = {},
    key: GeneratedKey = generateKey("ec-p256"),
  ): TestIdentity {
    const { der } = this.#issuer.issueLeaf({
      spki: key.spki,
      uris: [uri],
      notBefore: this.#now - MINUTE_MS,
      notAfter: this.#now + HOUR_MS,
      ...template,
    });
    const certificate = parseCertificate(der);
    const chain = [certificate, ...this.#above];
    return {
      certificate,
      privateKey: key.privateKey,
      chain,
      chainPem: formatCertificatesPem(chain),
      keyPem: formatPem("PRIVATE KEY", encodePrivateKey(key.privateKey)),
    };
  }

  /** An authority below this one, for the same URI unless the template says otherwise. */
  intermediate(template: Partial<Omit<AuthorityTemplate, "spki">> = {}): TestCa {
    const options = { now: this.#now, commonName: `below ${this.certificate.serialText}` };
    parents.set(options, { ca: this, template });
    return new TestCa(this.#uri, options);
  }
}

/** How an intermediate's constructor learns its parent, without an argument that users would see. */
const parents = new WeakMap<
  TestCaOptions,
  { readonly ca: TestCa; readonly template: Partial<Omit<AuthorityTemplate, "spki">> }
>();
