import { BonafideError } from "@bonafide/errors";
import { SERVER_ERRORS } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/**
 * Checks where a bundle is fetched: an https URL with a host and without user information. Returned as it was given.
 *
 * @throws FEDERATION_INVALID
 * @spec Federation §5.2.1.1, §5.2.2.1
 */
export function checkEndpointUrl(text: string): string {
  if (text.length > LIMITS.endpointUrlChars) throw invalid("is too long");
  // A URL parser drops spaces and control characters, so that what is stored would not be what is asked.
  if (!/^[!-~]+$/.test(text)) throw invalid("is empty, or holds a character it may not");
  const url = URL.parse(text);
  if (url === null) throw invalid("is not a URL");
  if (url.protocol !== "https:" || !/^https:\/\//i.test(text)) {
    throw invalid("does not begin with https://");
  }
  // Of an empty host or user name the parsed URL has no trace.
  const [authority = ""] = text.slice("https://".length).split(/[/?#\\]/, 1);
  if (authority === "" || url.hostname === "") throw invalid("has no host");
  if (authority.includes("@")) throw invalid("has user information");
  if (url.hash !== "") throw invalid("has a fragment");
  return text;
}

function invalid(what: string): BonafideError {
  return new BonafideError(
    SERVER_ERRORS,
    "FEDERATION_INVALID",
    `the URL of the bundle endpoint ${what}`,
  );
}
