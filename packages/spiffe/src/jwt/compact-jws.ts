import { BonafideError, isBonafideError } from "@bonafide/errors";
import { isJwsAlgorithm, type JwsAlgorithm } from "@bonafide/pki";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../bundle/json.ts";
import { SPIFFE_ERRORS } from "../errors.ts";
import { JWT_SVID_CHARACTERS_MAX } from "../limits.ts";

/** A token taken apart; nothing of it is proven. */
export interface CompactJws {
  readonly algorithm: JwsAlgorithm;
  /** Undefined when the header has none. */
  readonly keyId: string | undefined;
  readonly claims: JsonObject;
  /** What was signed: header and payload as they were sent. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

const PARTS = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;
const TYPES: ReadonlySet<unknown> = new Set(["JWT", "JOSE"]);
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Takes a JWT-SVID apart: a JWS in compact form over a JSON object, with an algorithm that is accepted.
 *
 * One spelling of each part counts: no padding, no white space, no other alphabet, no left-over bits, no member twice.
 * Keys and links in the header are ignored (C7), and what is marked critical is refused.
 *
 * @throws JWT_SVID_INVALID  `details.reason`
 * @spec JWT-SVID §2, RFC 7515 §5.2
 */
export function parseCompactJws(token: string): CompactJws {
  if (token.length > JWT_SVID_CHARACTERS_MAX) throw invalidJwt("too-long");
  const [, first = "", second = "", third = ""] = PARTS.exec(token) ?? [];
  if (first === "") throw invalidJwt("not-compact");
  const header = readObject(first, "header");
  const algorithm = header.get("alg");
  if (!isJwsAlgorithm(algorithm)) throw invalidJwt("algorithm");
  if (header.has("crit")) throw invalidJwt("critical-header");
  if (header.has("typ") && !TYPES.has(header.get("typ"))) throw invalidJwt("type");
  const keyId = header.get("kid");
  if (keyId !== undefined && (typeof keyId !== "string" || keyId === "")) {
    throw invalidJwt("key-id");
  }
  return {
    algorithm,
    keyId,
    claims: readObject(second, "claims"),
    signed: new Uint8Array(Buffer.from(`${first}.${second}`, "latin1")),
    signature: readBase64Url(third, "signature"),
  };
}

/** Builds the error of a token that breaks a rule; the caller throws it. The token itself is never repeated. */
export function invalidJwt(reason: string, cause?: unknown): BonafideError {
  return new BonafideError(SPIFFE_ERRORS, "JWT_SVID_INVALID", `not a JWT-SVID: ${reason}`, {
    details: { reason },
    cause,
  });
}

function readObject(text: string, part: string): JsonObject {
  let value: JsonValue;
  try {
    const json = UTF8.decode(readBase64Url(text, part));
    value = parseJson(json, { lengthMax: JWT_SVID_CHARACTERS_MAX });
  } catch (cause) {
    throw isBonafideError(cause, "JWT_SVID_INVALID") ? cause : invalidJwt(part, cause);
  }
  if (!isJsonObject(value)) throw invalidJwt(part);
  return value;
}

function readBase64Url(text: string, part: string): Uint8Array {
  const bytes = Buffer.from(text, "base64url");
  // The decoder drops left-over bits; only the canonical spelling comes back the same.
  if (bytes.toString("base64url") !== text) throw invalidJwt(`${part}-base64url`);
  return new Uint8Array(bytes);
}
