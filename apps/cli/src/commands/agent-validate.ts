import { type Command, defineCommand } from "../arguments/command.ts";
import { loadAgentConfig } from "../config/agent-config.ts";
import { AGENT_FLAGS, agentFlagValues } from "../config/agent-flags.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide agent validate` */
export const agentValidate: Command = defineCommand({
  name: "agent validate",
  summary: "reads the configuration as `agent run` would, and starts nothing",
  flags: AGENT_FLAGS,
  examples: ["bonafide agent validate --config agent.yaml"],
  run({ flags, output }) {
    const { join_token, ...config } = loadAgentConfig(flags.config, agentFlagValues(flags));
    output.result("the configuration is valid", {
      valid: true,
      config: { ...config, ...(join_token === undefined ? {} : { join_token: "(given)" }) },
    });
    return Promise.resolve(EXIT.ok);
  },
});
