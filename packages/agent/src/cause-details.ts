import { isBonafideError } from "@bonafide/errors";
import { CAUSES, type CauseCode } from "./core/why/causes.ts";

/** `details` of an error that `why` explains. */
export interface CauseDetails extends Readonly<Record<string, string>> {
  readonly cause: CauseCode;
}

/** Names the cause of an error, from the closed table, with the values of this case. */
export function because(
  cause: CauseCode,
  more: Readonly<Record<string, string>> = {},
): CauseDetails {
  return { ...more, cause };
}

/** The cause that an error names; undefined if it names none of the table. */
export function causeOf(error: unknown): CauseCode | undefined {
  const cause = isBonafideError(error) ? error.details["cause"] : undefined;
  return cause !== undefined && isCauseCode(cause) ? cause : undefined;
}

function isCauseCode(text: string): text is CauseCode {
  return Object.hasOwn(CAUSES, text);
}
