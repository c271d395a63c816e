import { type Certificate, parseCertificate, publicKeyOf } from "@bonafide/pki";
import { isTrustDomain, type TrustDomain } from "../id/trust-domain.ts";
import { BUNDLE_BYTES_MAX, BUNDLE_KEYS_MAX, BUNDLE_SET_MAX } from "../limits.ts";
import { bundleMalformed } from "./bundle-malformed.ts";
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue, parseJson } from "./json.ts";
import {
  KEY_TYPES,
  publicJwk,
  readTokenAuthority,
  type TokenAuthority,
  tokenJwk,
} from "./token-authority.ts";
import { type X509Bundle, x509BundleOf } from "./x509-bundle.ts";

/**
 * What a SPIFFE bundle document holds for one trust domain, by kind of SVID; the kinds are never mixed (WLA-12).
 *
 * @spec Trust Domain and Bundle §4
 */
export interface SpiffeBundle {
  readonly trustDomain: TrustDomain;
  /** Unsigned, 64 bits; undefined when the document has none. */
  readonly sequence: bigint | undefined;
  /** Whole seconds, 1 or more; undefined when the document has none that can be used. */
  readonly refreshHintSeconds: number | undefined;
  readonly x509: X509Bundle;
  readonly jwtAuthorities: readonly TokenAuthority[];
  readonly witAuthorities: readonly TokenAuthority[];
}

/** Refresh hint when a bundle has none, in seconds. */
export const REFRESH_HINT_SECONDS_DEFAULT = 300;
const REFRESH_SECONDS_MIN = 60;
const REFRESH_SECONDS_MAX = 86_400;
const SEQUENCE_MAX = 2n ** 64n - 1n;

/** When to look for a newer bundle, in seconds: the hint, between a minute and a day; 300 without one (BND-11). */
export function refreshAfterSeconds(bundle: Pick<SpiffeBundle, "refreshHintSeconds">): number {
  const hint = bundle.refreshHintSeconds ?? REFRESH_HINT_SECONDS_DEFAULT;
  return Math.min(Math.max(hint, REFRESH_SECONDS_MIN), REFRESH_SECONDS_MAX);
}

/**
 * Reads a SPIFFE bundle document.
 *
 * Keys of an unknown type or use, X.509 keys without a certificate and token keys without an ID are skipped alone; a key
 * that claims a known use and cannot be read refuses the document, so that the last good one stays.
 *
 * @param trustDomain  Whose bundle it is; the document does not say.
 * @throws BUNDLE_MALFORMED  `details.reason`
 * @spec Trust Domain and Bundle §4, X509-SVID §6
 */
export function parseSpiffeBundle(trustDomain: TrustDomain, text: string): SpiffeBundle {
  return readBundle(trustDomain, parseJson(text, { lengthMax: BUNDLE_BYTES_MAX }));
}

/**
 * Reads a bundle map: the whole state of the world, to be adopted at once (BND-23). Refresh hints inside count for
 * nothing (BND-22).
 *
 * @throws BUNDLE_MALFORMED  `details.reason`
 * @spec Trust Domain and Bundle §5.1
 */
export function parseBundleMap(text: string): ReadonlyMap<TrustDomain, SpiffeBundle> {
  const map = parseJson(text, { lengthMax: BUNDLE_BYTES_MAX });
  const members = isJsonObject(map) ? map.get("trust_domains") : undefined;
  if (!isJsonObject(members)) throw bundleMalformed("a bundle document", "trust-domains");
  if (members.size > BUNDLE_SET_MAX) throw bundleMalformed("a bundle document", "too-many-bundles");
  const bundles = new Map<TrustDomain, SpiffeBundle>();
  for (const [name, document] of members) {
    if (!isTrustDomain(name)) throw bundleMalformed("a bundle document", "trust-domain-name");
    bundles.set(name, { ...readBundle(name, document), refreshHintSeconds: undefined });
  }
  return bundles;
}

/**
 * Writes a SPIFFE bundle document with exactly the members that the standards define.
 *
 * @throws BUNDLE_MALFORMED  a refresh hint that is not a whole number of seconds, or a sequence beyond 64 bits
 * @spec Trust Domain and Bundle §4, X509-SVID §6.1
 */
export function formatSpiffeBundle(bundle: SpiffeBundle): string {
  const { sequence, refreshHintSeconds, x509, jwtAuthorities, witAuthorities } = bundle;
  const members: string[] = [];
  if (sequence !== undefined) {
    if (sequence < 0n || sequence > SEQUENCE_MAX)
      throw bundleMalformed("a bundle document", "sequence");
    members.push(`"spiffe_sequence":${sequence}`);
  }
  if (refreshHintSeconds !== undefined) {
    if (!Number.isSafeInteger(refreshHintSeconds) || refreshHintSeconds < 0) {
      throw bundleMalformed("a bundle document", "refresh-hint");
    }
    members.push(`"spiffe_refresh_hint":${refreshHintSeconds}`);
  }
  const keys = [
    ...x509.authorities.map((authority) => ({
      use: "x509-svid",
      ...publicJwk(publicKeyOf(authority)),
      x5c: [Buffer.from(authority.der).toString("base64")],
    })),
    ...jwtAuthorities.map((authority) => tokenJwk("jwt-svid", authority)),
    ...witAuthorities.map((authority) => tokenJwk("wit-svid", authority)),
  ];
  return `{${[...members, `"keys":${JSON.stringify(keys)}`].join(",")}}`;
}

/** Writes a bundle map; refresh hints are left out (BND-21). */
export function formatBundleMap(bundles: ReadonlyMap<TrustDomain, SpiffeBundle>): string {
  const members = [...bundles].map(
    ([name, bundle]) =>
      `${JSON.stringify(name)}:${formatSpiffeBundle({ ...bundle, refreshHintSeconds: undefined })}`,
  );
  return `{"trust_domains":{${members.join(",")}}}`;
}

function readBundle(trustDomain: TrustDomain, document: JsonValue): SpiffeBundle {
  if (!isJsonObject(document)) throw bundleMalformed("a bundle document", "not-an-object");
  const keys = document.get("keys");
  if (!isJsonArray(keys)) throw bundleMalformed("a bundle document", "keys");
  if (keys.length > BUNDLE_KEYS_MAX) throw bundleMalformed("a bundle document", "too-many-keys");
  const x509: Certificate[] = [];
  const jwtAuthorities: TokenAuthority[] = [];
  const witAuthorities: TokenAuthority[] = [];
  for (const key of keys) {
    if (!isJsonObject(key)) throw bundleMalformed("a bundle document", "key-not-an-object");
    if (!KEY_TYPES.has(key.get("kty"))) continue;
    switch (key.get("use")) {
      case "x509-svid":
        x509.push(...readAuthority(key));
        break;
      case "jwt-svid":
        jwtAuthorities.push(...readTokenAuthority(key));
        break;
      case "wit-svid":
        witAuthorities.push(...readTokenAuthority(key));
        break;
      default:
    }
  }
  return {
    trustDomain,
    sequence: readSequence(document.get("spiffe_sequence")),
    refreshHintSeconds: readRefreshHint(document.get("spiffe_refresh_hint")),
    x509: x509BundleOf(trustDomain, x509),
    jwtAuthorities,
    witAuthorities,
  };
}

/** None or one: only the first certificate of `x5c` counts (X509-29, X509-30). */
function readAuthority(key: JsonObject): readonly Certificate[] {
  const x5c = key.get("x5c");
  if (!isJsonArray(x5c) || x5c.length === 0) return [];
  const text = x5c[0];
  if (typeof text !== "string") throw bundleMalformed("a bundle document", "x5c");
  const der = Buffer.from(text, "base64");
  // The decoder skips what it does not know and takes the URL alphabet too; only canonical base64 comes back the same.
  if (der.toString("base64") !== text) throw bundleMalformed("a bundle document", "x5c-base64");
  try {
    return [parseCertificate(der)];
  } catch (cause) {
    throw bundleMalformed("a bundle document", "x5c-certificate", cause);
  }
}

function readSequence(value: JsonValue | undefined): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "bigint" || value < 0n || value > SEQUENCE_MAX)
    throw bundleMalformed("a bundle document", "sequence");
  return value;
}

/** A hint is only a hint: one that makes no sense is no reason to refuse keys. */
function readRefreshHint(value: JsonValue | undefined): number | undefined {
  if (typeof value !== "bigint" || value <= 0n) return undefined;
  return value > BigInt(REFRESH_SECONDS_MAX) ? REFRESH_SECONDS_MAX : Number(value);
}
