import type { KeyObject } from "node:crypto";
import { createHash } from "node:crypto";
import { encodePublicKey } from "@bonafide/pki";
import type { TrustDomain } from "../id/trust-domain.ts";
import { BUNDLE_BYTES_MAX, BUNDLE_KEYS_MAX, BUNDLE_SET_MAX } from "../limits.ts";
import { bundleMalformed } from "./bundle-malformed.ts";
import { isJsonArray, isJsonObject, parseJson } from "./json.ts";
import { readTokenAuthority, type TokenAuthority, tokenJwk } from "./token-authority.ts";

/**
 * The keys that may sign JWT-SVIDs of one trust domain, and of no other.
 *
 * @spec Trust Domain and Bundle §3
 */
export interface JwtBundle {
  readonly trustDomain: TrustDomain;
  /** By key ID; none means that no JWT-SVID of this domain is valid (JWT-SVID §6.2). */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Names the content: equal for equal trust domain and keys in equal order. */
  readonly revision: string;
}

/** One bundle per trust domain, immutable, replaced whole. */
export type JwtBundleSet = ReadonlyMap<TrustDomain, JwtBundle>;

/**
 * Makes a bundle.
 *
 * @throws BUNDLE_MALFORMED  more than 1024 keys, or two different ones of one ID
 */
export function jwtBundleOf(
  trustDomain: TrustDomain,
  authorities: readonly TokenAuthority[],
): JwtBundle {
  if (authorities.length > BUNDLE_KEYS_MAX) throw bundleMalformed("a JWT bundle", "too-many-keys");
  const keys = new Map<string, KeyObject>();
  const hash = createHash("sha256").update(JSON.stringify([trustDomain]));
  for (const { keyId, publicKey } of authorities) {
    const known = keys.get(keyId);
    if (known !== undefined && !known.equals(publicKey))
      throw bundleMalformed("a JWT bundle", "duplicate-key-id");
    keys.set(keyId, publicKey);
    hash.update(JSON.stringify([keyId])).update(encodePublicKey(publicKey));
  }
  return { trustDomain, keys, revision: hash.digest("hex") };
}

/**
 * Makes a set.
 *
 * @throws BUNDLE_MALFORMED  two bundles of one trust domain, or more than 10,000
 */
export function jwtBundleSetOf(bundles: Iterable<JwtBundle>): JwtBundleSet {
  const set = new Map<TrustDomain, JwtBundle>();
  for (const bundle of bundles) {
    if (set.has(bundle.trustDomain))
      throw bundleMalformed("a JWT bundle", "duplicate-trust-domain");
    set.set(bundle.trustDomain, bundle);
    if (set.size > BUNDLE_SET_MAX) throw bundleMalformed("a JWT bundle", "too-many-bundles");
  }
  return set;
}

/**
 * Reads the Workload API's form: a JWK set of JWT keys. SPIRE writes no `use` there, so a key without one counts; one of
 * another use, of an unknown type or without an ID is skipped alone.
 *
 * @throws BUNDLE_MALFORMED  `details.reason`
 * @spec Workload API §6.2.2
 */
export function parseJwtBundle(trustDomain: TrustDomain, text: string): JwtBundle {
  const document = parseJson(text, { lengthMax: BUNDLE_BYTES_MAX });
  const keys = isJsonObject(document) ? document.get("keys") : undefined;
  if (!isJsonArray(keys)) throw bundleMalformed("a JWT bundle", "keys");
  if (keys.length > BUNDLE_KEYS_MAX) throw bundleMalformed("a JWT bundle", "too-many-keys");
  const authorities: TokenAuthority[] = [];
  for (const key of keys) {
    if (!isJsonObject(key)) throw bundleMalformed("a JWT bundle", "key-not-an-object");
    const use = key.get("use");
    if (use === undefined || use === "jwt-svid") authorities.push(...readTokenAuthority(key));
  }
  return jwtBundleOf(trustDomain, authorities);
}

/** Writes the Workload API's form: a JWK set, each key with `use` and `kid`, and nothing beside it. */
export function formatJwtBundle(bundle: JwtBundle): string {
  const keys = [...bundle.keys].map(([keyId, publicKey]) =>
    tokenJwk("jwt-svid", { keyId, publicKey }),
  );
  return JSON.stringify({ keys });
}
