import { BonafideError, isBonafideError } from "@bonafide/errors";
import { type Clock, Latest, type Random, systemClock, systemRandom } from "@bonafide/lifetime";
import { SPIFFE_ERRORS } from "../errors.ts";
import { follow, type FollowedStream } from "../workload-api/follow.ts";
import type { WorkloadApiClient } from "../workload-api/workload-api-client.ts";

/** Options of every source over the Workload API. */
export interface FollowingOptions {
  /** Told about each failure; the last good state stays, unless the identity was taken back. Must not throw. */
  readonly onProblem?: (error: BonafideError) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A stream that a source follows. */
export interface SourceStream<M, S> extends FollowedStream<M, S> {
  /** Whether a source can begin with this state. */
  readonly isEnough: (state: S) => boolean;
  /** Told about each state. */
  readonly onState?: (state: S) => void;
}

/** A stream that is followed. */
export interface Followed<S> {
  readonly latest: Latest<S>;
  /** Ends it and closes the client. */
  readonly stop: () => Promise<void>;
}

/**
 * Follows a stream of the Workload API and waits for its first state; closes the client when that fails.
 *
 * @param options.signal  Bounds the opening only; when it aborts, the last failure is the error's cause.
 * @throws NO_IDENTITY_ISSUED  nothing came before `signal` aborted
 * @throws RPC_INVALID_ARGUMENT, RPC_UNIMPLEMENTED  the endpoint does not serve it
 */
export async function openFollowed<M, S>(
  client: Pick<WorkloadApiClient, "close">,
  stream: SourceStream<M, S>,
  options: FollowingOptions & { readonly signal: AbortSignal | undefined },
): Promise<Followed<S>> {
  const { clock = systemClock, random = systemRandom, onProblem, signal } = options;
  const ending = new AbortController();
  const opened = Promise.withResolvers<Latest<S>>();
  let latest: Latest<S> | undefined;
  let problem: BonafideError | undefined;
  const listener = {
    onState(state: S): void {
      stream.onState?.(state);
      if (latest !== undefined) latest.set(state);
      else if (stream.isEnough(state)) opened.resolve((latest = new Latest(state)));
    },
    onProblem(error: BonafideError): void {
      problem = error;
      onProblem?.(error);
    },
  };
  const following = follow(stream, listener, { clock, random, signal: ending.signal }).catch(
    (error: unknown) => {
      // Before the first state this fails the opening; later the last good state stays.
      opened.reject(error);
      if (!isBonafideError(error)) throw error;
      listener.onProblem(error);
    },
  );
  const stop = async (): Promise<void> => {
    ending.abort();
    await following;
    await client.close();
  };
  const onAbort = (): void => {
    opened.reject(noIdentity(problem ?? signal?.reason));
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return { latest: await opened.promise, stop };
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
