import type { TokenAuthority } from "@bonafide/spiffe";

/** The part of a request that an answer depends on. */
export interface OidcRequest {
  readonly method: string;
  /** With or without port. */
  readonly host: string;
  /** Without its query. */
  readonly path: string;
  readonly ifNoneMatch: string;
}

/** What is known when a request comes. */
export interface OidcState {
  /** Lower case. */
  readonly domains: ReadonlySet<string>;
  /** Default: https:// and the host that is asked. */
  readonly issuer: string | undefined;
  /** undefined: none were fetched yet. */
  readonly keySet: KeySet | undefined;
  /** Whether the keys are as new as they should be. */
  readonly isFresh: boolean;
}

/** A JWK set as it goes out. */
export interface KeySet {
  readonly text: string;
  /** Names the content. */
  readonly etag: string;
  readonly size: number;
}

/** An answer, ready to be written. */
export interface OidcAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * How long a copy may be used, seconds. A key is published before it signs for longer than that and a poll together, so
 * whoever holds a copy knows every key that signs.
 */
const CACHE_SECONDS = 60;

const ALGORITHMS: Readonly<Record<string, string>> = { "P-256": "ES256", "P-384": "ES384" };
const SIGNED_BY = ["RS256", "ES256", "ES384"] as const;

/** Answers a request. Health is told to any host, since whoever checks it knows no name; all else to listed ones only. */
export function answer(request: OidcRequest, state: OidcState): OidcAnswer {
  const { method, path } = request;
  if (path === "/live") return plain(method, 200, "live");
  if (path === "/ready") {
    const isReady = state.keySet !== undefined && state.keySet.size > 0 && state.isFresh;
    return plain(method, isReady ? 200 : 503, isReady ? "ready" : "not ready");
  }
  const host = request.host.toLowerCase();
  const issuer = URL.parse(state.issuer ?? `https://${host}`);
  // A port that is none makes no URL.
  if (!state.domains.has(host.replace(/:\d+$/, "")) || issuer === null) {
    return plain(method, 421, "not this host");
  }
  const prefix = issuer.pathname.replace(/\/$/, "");
  if (path === `${prefix}/.well-known/openid-configuration`) {
    return json(request, { text: discoveryDocument(state.issuer ?? `https://${host}`), etag: "" });
  }
  if (path !== `${prefix}/keys`) return plain(method, 404, "not found");
  if (state.keySet === undefined) return plain(method, 503, "no keys yet");
  return json(request, state.keySet);
}

/** The discovery document of an issuer. @spec OpenID Connect Discovery §3 */
export function discoveryDocument(issuer: string): string {
  return JSON.stringify({
    issuer,
    jwks_uri: `${issuer}/keys`,
    // Required members for which a JWT-SVID has no use: there is nothing to log in to.
    authorization_endpoint: "",
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: SIGNED_BY,
  });
}

/** The JWK set of the keys that sign JWT-SVIDs, by their IDs. @param digest  Names a text */
export function keySetOf(
  authorities: readonly TokenAuthority[],
  digest: (text: string) => string,
): KeySet {
  const keys = authorities.map(({ keyId, publicKey }) => {
    const { kty, crv, x, y, n, e } = publicKey.export({ format: "jwk" });
    const alg = kty === "RSA" ? "RS256" : ALGORITHMS[crv ?? ""];
    return { kty, kid: keyId, use: "sig", alg, crv, x, y, n, e };
  });
  const text = JSON.stringify({ keys });
  return { text, etag: `"${digest(text)}"`, size: keys.length };
}

function json(
  { method, ifNoneMatch }: OidcRequest,
  { text, etag }: Pick<KeySet, "text" | "etag">,
): OidcAnswer {
  if (method !== "GET" && method !== "HEAD") return refused();
  const headers = {
    "content-type": "application/json",
    "cache-control": `public, max-age=${CACHE_SECONDS}`,
    ...(etag === "" ? {} : { etag }),
  };
  if (etag !== "" && ifNoneMatch === etag) return { status: 304, headers, body: "" };
  return { status: 200, headers, body: text };
}

function plain(method: string, status: number, body: string): OidcAnswer {
  if (method !== "GET" && method !== "HEAD") return refused();
  const headers = { "content-type": "text/plain", "cache-control": "no-store" };
  return { status, headers, body: `${body}\n` };
}

function refused(): OidcAnswer {
  return { status: 405, headers: { allow: "GET, HEAD" }, body: "" };
}
