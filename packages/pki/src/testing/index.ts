export { type ChainCase } from "./chain-case.ts";
export { chainCases } from "./chain-cases.ts";
export {
  assertAnswered,
  assertNothingHeld,
  type Attempt,
  attemptAll,
  defective,
  type HeldMemory,
  type HostileRun,
  hostileSeed,
  type NextNumber,
  seededNumbers,
} from "./hostile-inputs.ts";
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
