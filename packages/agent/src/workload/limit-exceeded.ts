import { BonafideError } from "@bonafide/errors";
import { because } from "../cause-details.ts";
import { AGENT_ERRORS } from "../errors.ts";

/** The refusal of a user who holds or asks for too much. @param why  For operators; the caller reads less. */
export function limitExceeded(why: string): BonafideError {
  return new BonafideError(AGENT_ERRORS, "CALLER_LIMIT_EXCEEDED", why, {
    details: because("caller.too_many"),
    retryAfterMs: 1000,
  });
}
