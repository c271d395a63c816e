import type { PkiErrorCode } from "../errors.ts";
import { OID } from "../x509/oids.ts";
import { makeCertificate, type MadeCertificate, type MadeTemplate } from "./make-certificate.ts";

/** One chain with the verdict it must get. */
export interface ChainCase {
  /** A fact, with its number in the fixture list of the conformance page where it has one (`R` reject, `A` accept). */
  readonly name: string;
  /** Leaf first. */
  readonly chain: readonly MadeCertificate[];
  /** Authorities of the leaf's own trust domain. */
  readonly anchors: readonly MadeCertificate[];
  /** `ok`, or the code of parsing or of path validation. */
  readonly expect: "ok" | PkiErrorCode;
  /** The trust domain in the leaf's name; default `a`. */
  readonly trustDomain?: string;
  /** Why `openssl verify -x509_strict` sees it otherwise, when it does. */
  readonly opensslDiffers?: string;
}

/** An authority of trust domain `a`, self-signed unless it has an issuer. */
export function authority(
  commonName: string,
  template: MadeTemplate = {},
  issuer?: MadeCertificate,
): MadeCertificate {
  return makeCertificate(
    { commonName, uris: ["spiffe://a"], isAuthority: true, ...template },
    issuer,
  );
}

/** A leaf for `spiffe://a/x`. */
export function leaf(issuer: MadeCertificate, template: MadeTemplate = {}): MadeCertificate {
  const extendedKeyUsage = [OID.serverAuth, OID.clientAuth];
  return makeCertificate(
    { commonName: "w", uris: ["spiffe://a/x"], extendedKeyUsage, ...template },
    issuer,
  );
}
