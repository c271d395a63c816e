export {
  type Attestation,
  createAttestation,
  type Reobservation,
} from "./attestation/attestation.ts";
export { SELECTOR_GRADES, type SelectorKind } from "./attestation/core/grades.ts";
export { nsAttestor } from "./attestation/ns-attestor.ts";
export type { Observation, ObservationChange } from "./attestation/observation.ts";
export { ATTESTATION_STEPS, type AttestationStep } from "./attestation/steps.ts";
export { createUnixAttestor, type UnixAttestorOptions } from "./attestation/unix/unix-attestor.ts";
export type { AgentDeps, AgentOptions } from "./agent-options.ts";
export { type Cause, CAUSES, type CauseCode, type CauseSpec, RUNGS } from "./core/why/causes.ts";
export type { ForeignEntry, WhyFacts } from "./core/why/facts.ts";
export { why, type WhyAnswer } from "./core/why/why.ts";
export { AGENT_ERRORS, type AgentErrorCode } from "./errors.ts";
export { withRecoveryKey } from "./node/bootstrap-key.ts";
export type { Bootstrap } from "./node/bootstrap.ts";
export { type AgentEnd, openAgent, type RunningAgent } from "./open-agent.ts";
export type { ServerAddress } from "./server/server-link.ts";
export type { UidLimitsOptions } from "./workload/uid-limits.ts";
export type { NamePermission } from "./launcher/core/slot-name.ts";
export { LAUNCHER_ERRORS } from "./launcher/errors.ts";
export { launcherAttestor } from "./launcher/launcher-attestor.ts";
export { LauncherSlots } from "./launcher/launcher-slots.ts";
export { elsewhereEntries } from "./wire/elsewhere.ts";
export { slotsFile } from "./launcher/slots-file.ts";
