import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";

/** A POLICY_MALFORMED error. */
export function malformed(message: string): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "POLICY_MALFORMED", message);
}

/** A POLICY_UNSUPPORTED error; `what` is cut, for it comes from the policy. */
export function unsupported(what: string): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "POLICY_UNSUPPORTED", `no ${what.slice(0, 80)} here`);
}

/** A POLICY_TOO_LARGE error. */
export function tooLarge(message: string): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, "POLICY_TOO_LARGE", message);
}
