export { type Attestation, createAttestation } from "../attestation/attestation.ts";
export { nsAttestor } from "../attestation/ns-attestor.ts";
export type { Observation } from "../attestation/observation.ts";
export { ATTESTATION_STEPS } from "../attestation/steps.ts";
export { createUnixAttestor } from "../attestation/unix/unix-attestor.ts";
export { EntryIndex } from "../core/entry-index.ts";
export type { Entry } from "../core/entry.ts";
export { launcherAttestor } from "../launcher/launcher-attestor.ts";
export { LauncherSlots } from "../launcher/launcher-slots.ts";
export { slotsFile } from "../launcher/slots-file.ts";
export { AGENT_SERVICES, openHostileAgent } from "./hostile-agent.ts";
export {
  type LogLine,
  openTestAgent,
  type TestAgent,
  type TestAgentOptions,
  WORKLOAD_HEADERS,
} from "./open-test-agent.ts";
export { type Script, ScriptedServer } from "./scripted-server.ts";
