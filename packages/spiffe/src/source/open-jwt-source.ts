import { systemClock } from "@bonafide/lifetime";
import type { JWTBundlesResponse } from "@bonafide/proto/workload_pb";
import type { JwtBundleSet } from "../bundle/jwt-bundle.ts";
import { readJwtBundles } from "../workload-api/read-jwt.ts";
import { openWorkloadApi, type WorkloadApiOptions } from "../workload-api/workload-api-client.ts";
import { JwtSource } from "./jwt-source.ts";
import { KeptTokens } from "./kept-tokens.ts";
import { type FollowingOptions, openFollowed, type SourceStream } from "./open-followed.ts";

/** Options of {@link openJwtSource}. */
export interface JwtSourceOptions extends WorkloadApiOptions, FollowingOptions {
  /** Which identity's tokens are fetched; default the default one. */
  readonly id?: string;
}

/** What is left after the Workload API took the identity back (WLA-19). */
const REDACTED: JwtBundleSet = new Map();

/**
 * Opens a source of JWT-SVIDs over the Workload API and waits for its first bundles. It follows them, drops what is
 * withdrawn, and reconnects for as long as it is open.
 *
 * @param options.signal  Bounds the opening only; when it aborts, the last failure is the error's cause.
 * @throws ENDPOINT_ADDRESS_MISSING, ENDPOINT_ADDRESS_INVALID
 * @throws NO_IDENTITY_ISSUED  no bundles before `signal` aborted
 * @throws RPC_INVALID_ARGUMENT, RPC_UNIMPLEMENTED  the endpoint does not serve JWT-SVIDs
 */
export async function openJwtSource(
  options: JwtSourceOptions = {},
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<JwtSource> {
  signal?.throwIfAborted();
  const { clock = systemClock, id } = options;
  const client = openWorkloadApi(options);
  const tokens = new KeptTokens();
  const stream: SourceStream<JWTBundlesResponse, JwtBundleSet> = {
    open: (during) => client.watchJwtBundleResponses(during),
    read: readJwtBundles,
    redacted: REDACTED,
    isEnough: (set) => set !== REDACTED,
    onState: (set) => {
      if (set === REDACTED) tokens.drop();
    },
  };
  const { latest, stop } = await openFollowed(client, stream, { ...options, signal });
  return new JwtSource({ client, bundles: latest, tokens, stop }, { clock, id });
}
