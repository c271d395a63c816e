export { createCsr, type Csr, type CsrTemplate, parseCsr, verifyCsr } from "./csr/csr.ts";
export { DerReader, type MalformedCode } from "./der/der-reader.ts";
export { DerWriter } from "./der/der-writer.ts";
export { TAG } from "./der/tags.ts";
export { PKI_ERRORS, type PkiErrorCode } from "./errors.ts";
export {
  CertificateIssuer,
  type CertificateIssuerOptions,
  issueRoot,
  prepareRoot,
} from "./issue/certificate-issuer.ts";
export { randomSerial } from "./issue/serial.ts";
export {
  type AuthorityTemplate,
  type CertificateTemplate,
  type IssuedCertificate,
  type UnsignedCertificate,
} from "./issue/template.ts";
export {
  fitsJwsAlgorithm,
  isJwsAlgorithm,
  JWS_ALGORITHMS,
  type JwsAlgorithm,
  verifyJws,
} from "./jws/jws-algorithm.ts";
export { type JwsSigner, jwsSigner } from "./jws/jws-signer.ts";
export {
  encodePrivateKey,
  encodePublicKey,
  type GeneratedKey,
  generateKey,
  parsePrivateKey,
  parsePrivateKeyPem,
} from "./keys/private-key.ts";
export { type KeyAlgorithm, keyAlgorithmOf, keyIdOf, publicKeyOf } from "./keys/public-key.ts";
export { keySigner, type Signer, signatureAlgorithmOf, verifySignature } from "./keys/signer.ts";
export { PKI_LIMITS } from "./limits.ts";
export {
  formatCertificatesPem,
  formatPem,
  parseCertificatesPem,
  parsePem,
  type PemBlock,
} from "./pem.ts";
export { digestChain, type Verdict, VerdictCache } from "./verify/verdict-cache.ts";
export { type VerifiedPath, verifyPath, type VerifyPathOptions } from "./verify/verify-path.ts";
export {
  type AlternativeName,
  type Certificate,
  type Extension,
  KEY_USAGE,
  type UriConstraints,
} from "./x509/certificate.ts";
export {
  commonNameOf,
  describeName,
  EMPTY_NAME,
  encodeName,
  type NameAttribute,
} from "./x509/name.ts";
export { parseCertificate, parseCertificates } from "./x509/parse-certificate.ts";
