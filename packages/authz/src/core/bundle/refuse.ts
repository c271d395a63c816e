import { BonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS, type AuthzErrorCode } from "../../errors.ts";

/** The error of a bundle that is not adopted. */
export function refuse(
  code: AuthzErrorCode,
  message: string,
  details: Readonly<Record<string, string>> = {},
  cause?: unknown,
): BonafideError {
  return new BonafideError(AUTHZ_ERRORS, code, message, { details, cause });
}
