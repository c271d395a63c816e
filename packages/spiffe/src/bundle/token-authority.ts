import { createPublicKey, type KeyObject } from "node:crypto";
import { isBonafideError } from "@bonafide/errors";
import { keyAlgorithmOf } from "@bonafide/pki";
import { bundleMalformed } from "./bundle-malformed.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/** A key that signs tokens of one trust domain. */
export interface TokenAuthority {
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

/** Types of key that the bundle standard's elements may have; others are skipped. */
export const KEY_TYPES: ReadonlySet<JsonValue | undefined> = new Set(["EC", "RSA"]);

/**
 * Reads a token key of a bundle document: none without an ID, of an unknown type, or of a kind that is not accepted, else
 * one.
 *
 * @throws BUNDLE_MALFORMED  it says it is a key and is none
 */
export function readTokenAuthority(key: JsonObject): readonly TokenAuthority[] {
  const keyId = key.get("kid");
  if (!KEY_TYPES.has(key.get("kty"))) return [];
  if (typeof keyId !== "string" || keyId.length === 0) return [];
  const jwk: Record<string, string> = {};
  for (const name of ["kty", "crv", "x", "y", "n", "e"] as const) {
    const value = key.get(name);
    if (typeof value === "string") jwk[name] = value;
  }
  try {
    const publicKey = createPublicKey({ key: jwk, format: "jwk" });
    keyAlgorithmOf(publicKey);
    return [{ keyId, publicKey }];
  } catch (cause) {
    // A size or curve that is not accepted here verifies nothing, and takes no other key with it.
    if (isBonafideError(cause, "PUBLIC_KEY_UNSUPPORTED")) return [];
    throw bundleMalformed("a bundle document", "jwk", cause);
  }
}

/** The members of a token key in a bundle document, and no others (BND-15). */
export function tokenJwk(use: string, { keyId, publicKey }: TokenAuthority): object {
  return { use, kid: keyId, ...publicJwk(publicKey) };
}

/** The members of a JWK that are the key itself. */
export function publicJwk(key: KeyObject): object {
  const { kty, crv, x, y, n, e } = key.export({ format: "jwk" });
  return Object.fromEntries(
    Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined),
  );
}
