export {
  type AlternativeName,
  type Certificate,
  type Extension,
  KEY_USAGE,
  parseCertificate,
  parseCertificates,
  type UriConstraints,
} from "./x509/certificate.ts";
export { createCsr, type Csr, type CsrTemplate, parseCsr, verifyCsr } from "./csr/csr.ts";
export { PKI_ERRORS, type PkiErrorCode } from "./errors.ts";
export {
  type AuthorityTemplate,
  CertificateIssuer,
  type CertificateIssuerOptions,
  type CertificateTemplate,
  type IssuedCertificate,
  issueRoot,
  randomSerial,
  type UnsignedCertificate,
} from "./issue/certificate-issuer.ts";
export {
  encodePrivateKey,
  encodePublicKey,
  type GeneratedKey,
  generateKey,
  parsePrivateKey,
  parsePrivateKeyPem,
} from "./keys/private-key.ts";
export { type KeyAlgorithm, keyAlgorithmOf, keyIdOf, publicKeyOf } from "./keys/public-key.ts";
export { keySigner, type Signer, verifySignature } from "./keys/signer.ts";
export { PKI_LIMITS } from "./limits.ts";
export { formatPem, parsePem, type PemBlock } from "./pem.ts";
export { digestChain, type Verdict, VerdictCache } from "./verify/verdict-cache.ts";
export { type VerifiedPath, verifyPath, type VerifyPathOptions } from "./verify/verify-path.ts";
export { describeName, encodeName, type NameAttribute } from "./x509/name.ts";
