import { BonafideError } from "@bonafide/errors";
import type { NodeAttestor } from "@bonafide/plugin-api";
import { JOIN_TOKEN_TYPE } from "./core/propose-token.ts";
import { SERVER_ERRORS } from "./errors.ts";

/** Node attestors by their names. @throws SERVER_OPTIONS_INVALID  two have one name, or one has that of join tokens */
export function attestorsByName(
  attestors: readonly NodeAttestor[],
): ReadonlyMap<string, NodeAttestor> {
  const byName = new Map<string, NodeAttestor>();
  for (const attestor of attestors) {
    const { name } = attestor;
    if (name === JOIN_TOKEN_TYPE || byName.has(name) || !/^[a-z][a-z0-9_]*$/.test(name)) {
      throw new BonafideError(
        SERVER_ERRORS,
        "SERVER_OPTIONS_INVALID",
        `a second node attestor of name ${name}, or no name of one`,
      );
    }
    byName.set(name, attestor);
  }
  return byName;
}
