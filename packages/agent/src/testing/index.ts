export {
  type LogLine,
  openTestAgent,
  type TestAgent,
  type TestAgentOptions,
  WORKLOAD_HEADERS,
} from "./open-test-agent.ts";
export { type Script, ScriptedServer } from "./scripted-server.ts";
