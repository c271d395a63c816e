import { BonafideError, isBonafideError } from "@bonafide/errors";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { type JwtSvid, parseJwtSvid } from "@bonafide/spiffe";
import type { Entry } from "../core/entry.ts";
import { AGENT_ERRORS } from "../errors.ts";
import { SERVER_CALL_MS } from "../limits.ts";
import type { ServerLink } from "./server-link.ts";

/** What became of a request for a token. */
export type SignJwtResult =
  | { readonly kind: "signed"; readonly svid: JwtSvid }
  /** The server knows no such entry of ours. */
  | { readonly kind: "not_found" };

/**
 * Has a JWT-SVID signed.
 *
 * @throws SERVER_ANSWER_INVALID  a token that is not what was asked for
 * @throws RpcError
 */
export async function signJwtSvid(
  link: ServerLink,
  request: { readonly entry: Entry; readonly audience: readonly string[] },
  options: { readonly signal: AbortSignal },
): Promise<SignJwtResult> {
  const { entry, audience } = request;
  let token: string | undefined;
  try {
    const { svid } = await link
      .client(SVID)
      .newJWTSVID(
        { entryId: entry.id, audience: [...audience] },
        { ...options, timeoutMs: SERVER_CALL_MS },
      );
    token = svid?.token;
  } catch (error) {
    if (isBonafideError(error) && error.status === "not_found") return { kind: "not_found" };
    throw error;
  }
  const svid = read(token ?? "", entry.hint);
  const isAsked =
    svid.id === entry.spiffeId &&
    svid.issuedAt !== undefined &&
    audience.every((one) => svid.audience.includes(one));
  if (!isAsked) throw invalid("a JWT-SVID of another ID or for another audience");
  return { kind: "signed", svid };
}

function read(token: string, hint: string): JwtSvid {
  try {
    return parseJwtSvid(token, { hint });
  } catch (cause) {
    throw invalid("what is no JWT-SVID", cause);
  }
}

function invalid(what: string, cause?: unknown): BonafideError {
  return new BonafideError(AGENT_ERRORS, "SERVER_ANSWER_INVALID", `the server sent ${what}`, {
    cause,
  });
}
