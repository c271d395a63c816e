import { BonafideError } from "@bonafide/errors";
import { ENFORCE_ERRORS } from "../errors.ts";
import { CHAIN_MAX } from "../limits.ts";
import type { VerifiedUser } from "./verified-user.ts";

/**
 * Reads a user from the claims of a token that somebody verified: signature, issuer, audience, time. `sub` is the user,
 * `exp` the end, `scope` a list of words, and `act` who acts for them (RFC 8693 §4.1), the newest outermost.
 *
 * @param claims  Of a JWT, a JWT-SVID included.
 * @throws CLAIMS_INVALID  one of them is not of that form; the call is denied
 * @example const user = userOfClaims((await jwtVerify(token, keys, { audience: "payments" })).payload);
 */
export function userOfClaims(claims: Readonly<Record<string, unknown>>): VerifiedUser {
  const { sub, exp, scope = "" } = claims;
  if (typeof sub !== "string" || sub === "") throw invalid("sub is nobody");
  if (typeof exp !== "number" || !Number.isFinite(exp)) throw invalid("exp is no time");
  if (typeof scope !== "string") throw invalid("scope is no text");
  const actors: string[] = [];
  for (let act = claims["act"]; act !== undefined; act = fieldsOf(act)["act"]) {
    const actor = fieldsOf(act)["sub"];
    if (typeof actor !== "string") throw invalid("act names nobody");
    if (actors.length >= CHAIN_MAX) throw invalid("too many have acted");
    actors.unshift(actor);
  }
  const scopes = scope.split(" ").filter((word) => word !== "");
  return { user: sub, actors, scopes, expiresAt: Math.floor(exp * 1000) };
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw invalid("act is no object");
  }
  return { ...json };
}

function invalid(reason: string): BonafideError {
  return new BonafideError(ENFORCE_ERRORS, "CLAIMS_INVALID", `the claims name no user: ${reason}`);
}
