import process from "node:process";
import { BonafideError } from "@bonafide/errors";
import { AGENT_ERRORS } from "../errors.ts";

/** As much of a call on the admin socket as is judged here. */
interface OperatorCall {
  readonly peer: { caller(): { readonly uid: number } };
}

/**
 * Lets root and the agent's own user in, by what the kernel says of the caller.
 *
 * @throws ADMIN_NOT_ALLOWED
 * @throws the refusal of a caller that is not known for certain
 */
export function checkOperator({ peer }: OperatorCall): void {
  const { uid } = peer.caller();
  if (uid === 0 || uid === process.geteuid?.()) return;
  throw new BonafideError(
    AGENT_ERRORS,
    "ADMIN_NOT_ALLOWED",
    "the admin socket is for root and the agent's own user",
  );
}
