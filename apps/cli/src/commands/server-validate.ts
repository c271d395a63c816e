import { type Command, defineCommand } from "../arguments/command.ts";
import { loadServerConfig } from "../config/server-config.ts";
import { SERVER_FLAGS, serverFlagValues } from "../config/server-flags.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide server validate` */
export const serverValidate: Command = defineCommand({
  name: "server validate",
  summary: "reads the configuration as `server run` would, and starts nothing",
  flags: SERVER_FLAGS,
  examples: ["bonafide server validate --config server.yaml"],
  run({ flags, output }) {
    const config = loadServerConfig(flags.config, serverFlagValues(flags));
    output.result("the configuration is valid", { valid: true, config });
    return Promise.resolve(EXIT.ok);
  },
});
