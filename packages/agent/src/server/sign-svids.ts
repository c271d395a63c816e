import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { SERVER_CALL_MS } from "../limits.ts";
import type { SignRequest, SignResult } from "../svid/workload-svid.ts";
import type { ServerLink } from "./server-link.ts";

const OK = 0;
const NOT_FOUND = 5;

/**
 * Has a batch of SVIDs signed; one result for each request, in order.
 *
 * @throws RpcError  when the call failed as a whole
 */
export async function signSvids(
  link: ServerLink,
  requests: readonly SignRequest[],
  options: { readonly signal: AbortSignal },
): Promise<readonly SignResult[]> {
  const { results } = await link
    .client(SVID)
    .batchNewX509SVID(
      { params: requests.map(({ entryId, csr }) => ({ entryId, csr })) },
      { ...options, timeoutMs: SERVER_CALL_MS },
    );
  return requests.map((_, i): SignResult => {
    const result = results[i];
    const code = result?.status?.code ?? OK;
    if (code === NOT_FOUND) return { kind: "not_found" };
    if (code !== OK) return { kind: "failed", text: result?.status?.message ?? `code ${code}` };
    if (result?.svid === undefined) return { kind: "failed", text: "the server sent no SVID" };
    return { kind: "signed", chain: result.svid.certChain };
  });
}
