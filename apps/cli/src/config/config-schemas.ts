import { agentConfigJsonSchema } from "./agent-config.ts";
import { oidcConfigJsonSchema } from "./oidc-config.ts";
import { serverConfigJsonSchema } from "./server-config.ts";

/** JSON Schemas of the configuration files, by the command that reads them. */
export function configSchemas(): Readonly<Record<"server" | "agent" | "oidc", unknown>> {
  return {
    server: serverConfigJsonSchema(),
    agent: agentConfigJsonSchema(),
    oidc: oidcConfigJsonSchema(),
  };
}
