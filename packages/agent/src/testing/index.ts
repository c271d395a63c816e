export type { Entry } from "../core/entry.ts";
export { type HostileAgent, openHostileAgent } from "./hostile-agent.ts";
export {
  type LogLine,
  openTestAgent,
  type TestAgent,
  type TestAgentOptions,
  WORKLOAD_HEADERS,
} from "./open-test-agent.ts";
export { type Script, ScriptedServer } from "./scripted-server.ts";
