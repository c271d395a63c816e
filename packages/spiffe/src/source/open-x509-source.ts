import { BonafideError, isBonafideError } from "@bonafide/errors";
import { type Clock, Latest, type Random, systemClock, systemRandom } from "@bonafide/lifetime";
import { SPIFFE_ERRORS } from "../errors.ts";
import { followX509 } from "../workload-api/follow-x509.ts";
import type { ReadX509ContextOptions } from "../workload-api/read-x509-context.ts";
import { openWorkloadApi, type WorkloadApiOptions } from "../workload-api/workload-api-client.ts";
import type { X509Context } from "./x509-context.ts";
import { X509Source } from "./x509-source.ts";

/** Options of {@link openX509Source}. */
export interface X509SourceOptions extends WorkloadApiOptions, ReadX509ContextOptions {
  /** Told about each failure after which the last good state stays. Must not throw. */
  readonly onProblem?: (error: BonafideError) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

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
  const { clock = systemClock, random = systemRandom, hint, onProblem } = options;
  const client = openWorkloadApi(options);
  const ending = new AbortController();
  const stop = async (): Promise<void> => {
    ending.abort();
    await following;
    await client.close();
  };
  let latest: Latest<X509Context> | undefined;
  let problem: BonafideError | undefined;
  const opened = Promise.withResolvers<Latest<X509Context>>();
  const listener = {
    onContext(context: X509Context): void {
      if (latest !== undefined) latest.set(context);
      else if (context.svid !== undefined) opened.resolve((latest = new Latest(context)));
    },
    onProblem(error: BonafideError): void {
      problem = error;
      onProblem?.(error);
    },
  };
  const following = followX509({ client, clock, random }, listener, {
    signal: ending.signal,
    ...(hint === undefined ? {} : { hint }),
  }).catch((error: unknown) => {
    // Before the first update this fails the opening; later the last good state stays until it expires.
    opened.reject(error);
    if (!isBonafideError(error)) throw error;
    listener.onProblem(error);
  });
  const onAbort = (): void => {
    opened.reject(noIdentity(problem ?? signal?.reason));
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return new X509Source(await opened.promise, stop);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

function noIdentity(cause: unknown): BonafideError {
  const why = isBonafideError(cause) ? `: ${cause.message}` : "";
  return new BonafideError(
    SPIFFE_ERRORS,
    "NO_IDENTITY_ISSUED",
    `no identity came from the Workload API in time${why}`,
    { cause },
  );
}
