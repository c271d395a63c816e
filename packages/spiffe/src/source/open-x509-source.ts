import type { X509SVIDResponse } from "@bonafide/proto/workload_pb";
import { PAUSE_MS_MAX } from "../workload-api/follow.ts";
import { readX509Context, type ReadX509ContextOptions } from "../workload-api/read-x509-context.ts";
import { openWorkloadApi, type WorkloadApiOptions } from "../workload-api/workload-api-client.ts";
import { type FollowingOptions, openFollowed, type SourceStream } from "./open-followed.ts";
import type { X509Context } from "./x509-context.ts";
import { X509Source } from "./x509-source.ts";

/** Options of {@link openX509Source}. */
export interface X509SourceOptions
  extends WorkloadApiOptions, ReadX509ContextOptions, FollowingOptions {}

/** What is left after the Workload API took an identity back (WLA-19). */
const REDACTED: X509Context = { svid: undefined, svids: [], bundles: new Map() };

/** Least of the longest pauses between two tries, ms. */
const PAUSE_MS_LEAST = 500;

/**
 * Opens a source over the Workload API and waits for its first update. It follows rotations, drops what is withdrawn, and
 * reconnects for as long as it is open.
 *
 * @param options.signal  Bounds the opening only; when it aborts, the last failure is the error's cause.
 * @throws ENDPOINT_ADDRESS_MISSING, ENDPOINT_ADDRESS_INVALID
 * @throws NO_IDENTITY_ISSUED  no identity before `signal` aborted
 * @throws RPC_INVALID_ARGUMENT, RPC_UNIMPLEMENTED  the endpoint is no Workload API
 */
export async function openX509Source(
  options: X509SourceOptions = {},
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<X509Source> {
  signal?.throwIfAborted();
  const { hint } = options;
  const reading = hint === undefined ? {} : { hint };
  const client = openWorkloadApi(options);
  const stream: SourceStream<X509SVIDResponse, X509Context> = {
    open: (during) => client.watchX509Responses(during),
    read: (response) => readX509Context(response, reading),
    redacted: REDACTED,
    isEnough: ({ svid }) => svid !== undefined,
    pauseMsMax: longestPauseMs,
  };
  const { latest, stop } = await openFollowed(client, stream, { ...options, signal });
  return new X509Source(latest, stop);
}

/** Who has an SVID of seconds cannot wait for half a minute: it would expire while the endpoint is well again. */
function longestPauseMs({ svid }: X509Context): number {
  if (svid === undefined) return PAUSE_MS_MAX;
  const twentieth = (svid.notAfter - svid.notBefore) / 20;
  return Math.max(PAUSE_MS_LEAST, Math.min(PAUSE_MS_MAX, twentieth));
}
