export { type ChainCase } from "./chain-case.ts";
export { chainCases } from "./chain-cases.ts";
export {
  madeExtension,
  type MadeCertificate,
  type MadeKey,
  type MadeKeyKind,
  type MadeTemplate,
  makeCertificate,
  makeKey,
} from "./make-certificate.ts";
export { TestCa, type TestCaOptions, type TestIdentity } from "./test-ca.ts";
