import { usage } from "../arguments/parse-flags.ts";
import { wireId } from "./spiffe-id-flag.ts";

/** The flag that names an agent the way SPIRE's command line does. */
export const AGENT_FLAG = {
  "spiffe-id": {
    kind: "string",
    help: "same as the operand",
    placeholder: "AGENT-ID",
    spire: "spiffeID",
  },
} as const;

/** The agent that a command is about, by flag or operand. @throws USAGE, SPIFFE_ID_INVALID */
export function agentOf(
  flag: string | undefined,
  operands: readonly string[],
): { readonly trustDomain: string; readonly path: string } {
  if (flag !== undefined) return wireId(flag, "--spiffe-id");
  const [text] = operands;
  if (text === undefined) throw usage("which agent? give its ID; bonafide agent list shows them");
  return wireId(text, "AGENT-ID");
}
