import { BonafideError, isBonafideError } from "@bonafide/errors";
import { SPIFFE_ERRORS } from "../errors.ts";

/**
 * Error of what is no bundle, or no set of them.
 *
 * @param what  What it was to be, with its article: "a bundle document".
 */
export function bundleMalformed(what: string, reason: string, cause?: unknown): BonafideError {
  const inner = isBonafideError(cause) ? `: ${cause.message}` : "";
  return new BonafideError(SPIFFE_ERRORS, "BUNDLE_MALFORMED", `not ${what}: ${reason}${inner}`, {
    details: { reason },
    cause,
  });
}
