import { BonafideError } from "@bonafide/errors";
import {
  parseSpiffeId,
  pathOf,
  SPIFFE_ERRORS,
  spiffeIdFault,
  type SpiffeIdFault,
  trustDomainOf,
} from "@bonafide/spiffe";

/** Longest part of a wrong value that is shown again, characters. */
const SHOWN_MAX = 80;

const FAULTS: Readonly<Record<SpiffeIdFault, string>> = {
  scheme: "it does not begin with spiffe://",
  "trust-domain-empty": "it names no trust domain",
  "trust-domain-character": "a trust domain is made of a-z, 0-9, dots, dashes and underscores",
  "trust-domain-too-long": "its trust domain is longer than 255 bytes",
  "path-character": "a path is made of letters, digits, dots, dashes, underscores and slashes",
  "empty-segment": "two slashes follow each other",
  "dot-segment": "a path has no . and no .. in it",
  "trailing-slash": "it ends with a slash",
  "too-long": "it is longer than 2048 bytes",
};

/**
 * The wire form of an ID that was given on the command line.
 *
 * @param given  What it was given as, such as `--parent-id`.
 * @throws SPIFFE_ID_INVALID  naming what was given, and the rule that it breaks
 */
export function wireId(
  text: string,
  given: string,
): { readonly trustDomain: string; readonly path: string } {
  const fault = spiffeIdFault(text);
  if (fault !== undefined) {
    const value = JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}...` : text);
    const whole = `spiffe://${text}`;
    const meant = spiffeIdFault(whole) === undefined ? `; did you mean ${whole}?` : "";
    throw new BonafideError(
      SPIFFE_ERRORS,
      "SPIFFE_ID_INVALID",
      `${given} ${value} is no SPIFFE ID: ${FAULTS[fault]}${meant}`,
      { details: { flag: given, reason: fault } },
    );
  }
  const id = parseSpiffeId(text);
  return { trustDomain: trustDomainOf(id), path: pathOf(id) };
}
