import type { EpochMs } from "@bonafide/lifetime";
import { isJsonArray, type JsonObject, type JsonValue } from "../bundle/json.ts";
import { isSpiffeId, parseSpiffeId, type SpiffeId, trustDomainOf } from "../id/spiffe-id.ts";
import type { TrustDomain } from "../id/trust-domain.ts";
import { AUDIENCE_BYTES_MAX, AUDIENCES_JSON_BYTES_MAX, AUDIENCES_MAX } from "../limits.ts";
import { type CompactJws, invalidJwt, parseCompactJws } from "./compact-jws.ts";

/** What a JWT-SVID says. */
export interface JwtSvidFacts {
  readonly id: SpiffeId;
  readonly trustDomain: TrustDomain;
  /** For whom it is; at least one. */
  readonly audience: readonly string[];
  /** When it ends. */
  readonly expiresAt: EpochMs;
  /** When it was issued, by its own word; undefined when it does not say. */
  readonly issuedAt: EpochMs | undefined;
  /** Before when it does not count; undefined when it does not say. */
  readonly notBefore: EpochMs | undefined;
  /** Every claim as it was signed: integers are `bigint`. Beyond the standard's, they mean what the issuer says. */
  readonly claims: JsonObject;
}

/**
 * A JWT-SVID of this process, to be shown to others. Its own word: the Workload API that gave it is trusted, and nothing
 * in it was verified.
 */
export interface JwtSvid extends JwtSvidFacts {
  /** The token. Whoever holds it is its subject until it ends: it goes over confidential channels only, into no log. */
  readonly token: string;
  /** Which key signed it; empty when the token does not say. */
  readonly keyId: string;
  /** The operator's word for this identity; empty for none. */
  readonly hint: string;
}

/**
 * Reads a token that the Workload API gave this process. For a token that somebody else showed, see `verifyJwtSvid`.
 *
 * @throws JWT_SVID_INVALID  `details.reason`
 */
export function parseJwtSvid(token: string, options: { readonly hint?: string } = {}): JwtSvid {
  const parsed = parseCompactJws(token);
  const facts = readFacts(parsed);
  const { keyId = "" } = parsed;
  const { hint = "" } = options;
  // A token that is logged by accident is a token that is stolen.
  return Object.defineProperty({ ...facts, keyId, token, hint }, "token", {
    value: token,
    enumerable: false,
  });
}

/**
 * Reads what a token says.
 *
 * @throws JWT_SVID_INVALID  a claim is missing or not as it must be
 * @spec JWT-SVID §3
 */
export function readFacts({ claims }: Pick<CompactJws, "claims">): JwtSvidFacts {
  const subject = claims.get("sub");
  if (typeof subject !== "string" || !isSpiffeId(subject)) throw invalidJwt("subject");
  const id = parseSpiffeId(subject);
  const expiresAt = readInstant(claims.get("exp"));
  if (expiresAt === undefined) throw invalidJwt("expiry");
  return {
    id,
    trustDomain: trustDomainOf(id),
    audience: readAudience(claims.get("aud")),
    expiresAt,
    issuedAt: readOptional(claims, "iat"),
    notBefore: readOptional(claims, "nbf"),
    claims,
  };
}

/** Whether texts can be the audience of a token: 1 to 32, none empty, well-formed, each at most 2048 bytes, 16 KiB as JSON. */
export function isAudience(audience: readonly unknown[]): audience is readonly string[] {
  return (
    audience.length > 0 &&
    audience.length <= AUDIENCES_MAX &&
    audience.every(
      (one) =>
        typeof one === "string" &&
        one !== "" &&
        one.isWellFormed() &&
        Buffer.byteLength(one) <= AUDIENCE_BYTES_MAX,
    ) &&
    Buffer.byteLength(JSON.stringify(audience)) <= AUDIENCES_JSON_BYTES_MAX
  );
}

/** One text, or a list of them (C8). */
function readAudience(value: JsonValue | undefined): readonly string[] {
  const audience = isJsonArray(value) ? value : [value];
  if (!isAudience(audience)) throw invalidJwt("audience");
  return audience;
}

function readOptional(claims: JsonObject, name: "iat" | "nbf"): EpochMs | undefined {
  const value = claims.get(name);
  if (value === undefined) return undefined;
  const instant = readInstant(value);
  if (instant === undefined) throw invalidJwt(name);
  return instant;
}

/** Farthest instant that a `Date` can hold, seconds. */
const SECONDS_MAX = 8_640_000_000_000;

/** Seconds since 1970, perhaps with a fraction (RFC 7519 §2), as epoch ms. */
function readInstant(value: JsonValue | undefined): EpochMs | undefined {
  const seconds = typeof value === "bigint" ? Number(value) : value;
  if (typeof seconds !== "number" || !(seconds >= 0 && seconds <= SECONDS_MAX)) return undefined;
  return Math.floor(seconds * 1000);
}
