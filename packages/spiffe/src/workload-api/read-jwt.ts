import type { JWTBundlesResponse, JWTSVIDResponse } from "@bonafide/proto/workload_pb";
import { type JwtBundleSet, jwtBundleSetOf, parseJwtBundle } from "../bundle/jwt-bundle.ts";
import { type JwtSvid, parseJwtSvid } from "../jwt/jwt-svid.ts";
import { SVIDS_MAX } from "../limits.ts";
import { answerInvalid, readAnswer, readBundleMap } from "./read-answer.ts";

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
  if (svids.length === 0) throw answerInvalid("svids");
  if (svids.length > SVIDS_MAX) throw answerInvalid("too-many-svids");
  return readAnswer(() =>
    svids.map(({ spiffeId, svid, hint }) => {
      const read = parseJwtSvid(svid, { hint });
      if (read.id !== spiffeId) throw answerInvalid("spiffeId");
      if (asked.id !== undefined && asked.id !== "" && read.id !== asked.id)
        throw answerInvalid("spiffeId");
      if (!asked.audience.every((one) => read.audience.includes(one)))
        throw answerInvalid("audience");
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
  return readAnswer(() => {
    const read = readBundleMap(bundles, (trustDomain, json) =>
      parseJwtBundle(trustDomain, new TextDecoder("utf-8", { fatal: true }).decode(json)),
    );
    if (read.length === 0) throw answerInvalid("bundles");
    return jwtBundleSetOf(read);
  });
}
