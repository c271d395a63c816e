import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { JWTBundlesResponse, JWTSVIDResponse } from "@bonafide/proto/workload_pb";
import { type JwtBundleSet, jwtBundleSetOf, parseJwtBundle } from "../bundle/jwt-bundle.ts";
import { SPIFFE_ERRORS } from "../errors.ts";
import { parseSpiffeId, pathOf, trustDomainOf } from "../id/spiffe-id.ts";
import { type JwtSvid, parseJwtSvid } from "../jwt/jwt-svid.ts";
import { BUNDLE_SET_MAX, SVIDS_MAX } from "../limits.ts";

/**
 * Reads the answer of FetchJWTSVID.
 *
 * @param asked.id  The one identity that was asked for, if it was one.
 * @throws WORKLOAD_API_RESPONSE_INVALID  no token, a mandatory field is missing, or a token of another ID or audience
 * @spec Workload API §6.2.1
 */
export function readJwtSvids(
  { svids }: JWTSVIDResponse,
  asked: { readonly audience: readonly string[]; readonly id?: string },
): readonly JwtSvid[] {
  if (svids.length === 0) throw invalid("svids");
  if (svids.length > SVIDS_MAX) throw invalid("too-many-svids");
  return discardable(() =>
    svids.map(({ spiffeId, svid, hint }) => {
      const read = parseJwtSvid(svid, { hint });
      if (read.id !== spiffeId) throw invalid("spiffeId");
      if (asked.id !== undefined && asked.id !== "" && read.id !== asked.id)
        throw invalid("spiffeId");
      if (!asked.audience.every((one) => read.audience.includes(one))) throw invalid("audience");
      return read;
    }),
  );
}

/**
 * Reads one message of FetchJWTBundles, which is the whole state: what is absent is gone.
 *
 * @throws WORKLOAD_API_RESPONSE_INVALID
 * @spec Workload API §6.2.2
 */
export function readJwtBundles({ bundles }: JWTBundlesResponse): JwtBundleSet {
  const entries = Object.entries(bundles);
  if (entries.length === 0) throw invalid("bundles");
  if (entries.length > BUNDLE_SET_MAX) throw invalid("too-many-bundles");
  return discardable(() =>
    jwtBundleSetOf(
      entries.map(([key, json]) => {
        const id = parseSpiffeId(key);
        if (pathOf(id) !== "") throw invalid("trust-domain-id");
        const text = new TextDecoder("utf-8", { fatal: true }).decode(json);
        return parseJwtBundle(trustDomainOf(id), text);
      }),
    ),
  );
}

function discardable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (isBonafideError(cause, "WORKLOAD_API_RESPONSE_INVALID")) throw cause;
    throw invalid(isBonafideError(cause) ? cause.code : "unknown", cause);
  }
}

function invalid(reason: string, cause?: unknown): BonafideError {
  return new BonafideError(
    SPIFFE_ERRORS,
    "WORKLOAD_API_RESPONSE_INVALID",
    `the Workload API's answer was discarded: ${reason}`,
    { details: { reason }, cause },
  );
}
