import { BonafideError } from "@bonafide/errors";
import { SPIFFE_ERRORS } from "../errors.ts";
import type { SpiffeId } from "../id/spiffe-id.ts";
import { JWT_SVID_CHARACTERS_MAX } from "../limits.ts";
import type { JwtSvid } from "./jwt-svid.ts";
import type { VerifiedJwtSvid } from "./verify-jwt-svid.ts";

/** What shows and judges tokens: a `JwtSource`. */
export interface JwtSvidSource {
  /** A token of ours for one audience. */
  fetch(audience: string, options?: { readonly signal?: AbortSignal }): Promise<JwtSvid>;
  /** Judges a token of somebody else's. */
  verify(
    token: string,
    options: { readonly audience: string | readonly string[] },
  ): VerifiedJwtSvid;
}

/** Options of {@link verifyBearer}. */
export interface VerifyBearerOptions {
  readonly source: Pick<JwtSvidSource, "verify">;
  /** Who we are to the caller. */
  readonly audience: string | readonly string[];
  /** Whether this caller may call; there is no default, as for connections. A throw counts as no. */
  readonly authorize: (caller: {
    readonly id: SpiffeId;
    readonly svid: VerifiedJwtSvid;
  }) => boolean;
}

const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

/**
 * The token of an `Authorization` header.
 *
 * @param values  Every value of the header: two are refused, whichever would count elsewhere.
 * @throws BEARER_MISSING
 * @spec JWT-SVID §5.2, RFC 6750 §2.1
 */
export function bearerOf(values: string | readonly string[] | undefined): string {
  const list = values === undefined || typeof values === "string" ? [values] : values;
  const [value] = list;
  const isOne = list.length === 1 && value !== undefined;
  const token =
    isOne && value.length <= JWT_SVID_CHARACTERS_MAX ? BEARER.exec(value)?.[1] : undefined;
  if (token !== undefined) return token;
  throw new BonafideError(SPIFFE_ERRORS, "BEARER_MISSING", "one bearer token is required");
}

/**
 * Who sends an HTTP request, by the JWT-SVID in its `Authorization` header.
 *
 * @param request  As Node has it, with every header as it came.
 * @throws BEARER_MISSING       no token, or several
 * @throws PEER_NOT_AUTHORIZED  verified, and not admitted
 * @throws as `verifyJwtSvid`
 * @example
 *   const caller = verifyBearer(request, { source, audience: "spiffe://example.org/db", authorize });
 */
export function verifyBearer(
  request: { readonly headersDistinct: NodeJS.Dict<string[]> },
  options: VerifyBearerOptions,
): VerifiedJwtSvid {
  return admitBearer(bearerOf(request.headersDistinct["authorization"] ?? []), options);
}

/** Verifies a token and admits its subject. @throws as {@link verifyBearer} */
export function admitBearer(token: string, options: VerifyBearerOptions): VerifiedJwtSvid {
  const { source, audience, authorize } = options;
  const svid = source.verify(token, { audience });
  let cause: unknown;
  try {
    // A hostile or careless predicate may answer anything; only `true` is yes.
    // oxlint-disable-next-line typescript/no-unnecessary-boolean-literal-compare -- callers without types
    if (authorize({ id: svid.id, svid }) === true) return svid;
  } catch (error) {
    cause = error;
  }
  throw new BonafideError(SPIFFE_ERRORS, "PEER_NOT_AUTHORIZED", `${svid.id} is not admitted here`, {
    details: { id: svid.id },
    cause,
  });
}

/** The header that shows our token to one audience. For confidential channels only; see {@link bearerFetch}. */
export async function bearerRequestHeaders(
  source: Pick<JwtSvidSource, "fetch">,
  audience: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<{ readonly authorization: string }> {
  const { token } = await source.fetch(audience, options);
  return { authorization: `Bearer ${token}` };
}

/**
 * `fetch` that shows our token: over https only, and following no redirect, since whoever gets the token is us.
 *
 * @param options.audience  Who the server is; one, as every holder of a token can show it to all its audiences.
 * @param options.fetch     Default the global one.
 * @throws BEARER_EXPOSED  the URL is not https
 */
export function bearerFetch(
  source: Pick<JwtSvidSource, "fetch">,
  options: { readonly audience: string; readonly fetch?: typeof fetch },
): (url: string | URL, init?: RequestInit) => Promise<Response> {
  const { audience, fetch: send = fetch } = options;
  return async (url, init = {}) => {
    if (new URL(url).protocol !== "https:") {
      throw new BonafideError(SPIFFE_ERRORS, "BEARER_EXPOSED", "a token goes over https only");
    }
    const { signal } = init;
    const waiting = signal === undefined || signal === null ? {} : { signal };
    const { authorization } = await bearerRequestHeaders(source, audience, waiting);
    const headers = new Headers(init.headers);
    headers.set("authorization", authorization);
    return send(url, { ...init, headers, redirect: "error" });
  };
}
