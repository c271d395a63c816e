import { BonafideError, isBonafideError } from "@bonafide/errors";
import { backoffMs, type Clock, type Random, slept } from "@bonafide/lifetime";
import { SPIFFE_ERRORS } from "../errors.ts";

/** A stream of the Workload API whose messages are the whole state each. */
export interface FollowedStream<M, S> {
  readonly open: (options: { readonly signal: AbortSignal }) => AsyncIterable<M>;
  /** A message's state. What it throws discards the message. */
  readonly read: (message: M) => S;
  /** What is left after the Workload API took the identity back (WLA-19). */
  readonly redacted: S;
  /** Longest pause between two tries once this state is held, ms; default 30,000. */
  readonly pauseMsMax?: (state: S) => number;
}

/** What {@link follow} tells. */
export interface FollowListener<S> {
  /** A whole new state; the redacted one after PERMISSION_DENIED. */
  onState(state: S): void;
  /** A failure; the state stays, unless a redaction follows. */
  onProblem(error: BonafideError): void;
}

/** A stream that lived shorter than this did not prove that the endpoint is well, ms. */
const SHORT_LIVED_MS = 1000;

/** Longest pause between two tries, ms. */
export const PAUSE_MS_MAX = 30_000;

/**
 * Follows a stream for ever: reconnects at once when one that gave something ends, and with growing pauses when it gave
 * nothing, or when it ends soon again and again.
 *
 * @returns When the signal aborts, without an error.
 * @throws the call's error, after an answer that no retry can change: INVALID_ARGUMENT, UNIMPLEMENTED
 * @spec Workload API §4.2, §5.2; Workload Endpoint §6
 */
export async function follow<M, S>(
  stream: FollowedStream<M, S>,
  listener: FollowListener<S>,
  options: { readonly clock: Clock; readonly random: Random; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, random, signal } = options;
  let pauseMsMax = PAUSE_MS_MAX;
  for (let failures = 0; !signal.aborted;) {
    const openedMs = clock.monotonicMs();
    let gaveSomething = false;
    let failed = false;
    try {
      for await (const message of stream.open({ signal })) {
        const read = readOrReport(stream, message, listener);
        if (read === undefined) continue;
        listener.onState(read.state);
        gaveSomething = true;
        pauseMsMax = stream.pauseMsMax?.(read.state) ?? PAUSE_MS_MAX;
      }
    } catch (error) {
      if (isAborted(signal)) return;
      if (!isBonafideError(error)) throw error;
      if (isFinal(error)) throw error;
      failed = true;
      if (error.status === "permission_denied") {
        listener.onProblem(denied(error));
        listener.onState(stream.redacted);
        gaveSomething = false;
      } else listener.onProblem(error);
    }
    const livedMs = clock.monotonicMs() - openedMs;
    failures = gaveSomething && livedMs >= SHORT_LIVED_MS ? 0 : failures + 1;
    // The first end is no failure; an endpoint that ends every stream at once must not be asked in a tight loop.
    const retries = gaveSomething && !failed ? failures - 1 : failures;
    if (retries <= 0) continue;
    const pauseMs = backoffMs(retries, random.fraction(), { maxMs: pauseMsMax });
    // As an open stream does: a program that waits for its identity must not end meanwhile.
    await slept(clock, pauseMs, signal, { keepAlive: true });
  }
}

/** A message that cannot be read is discarded, and the state stays (WLA-11). */
function readOrReport<M, S>(
  stream: FollowedStream<M, S>,
  message: M,
  listener: FollowListener<S>,
): { readonly state: S } | undefined {
  try {
    return { state: stream.read(message) };
  } catch (error) {
    if (!isBonafideError(error)) throw error;
    listener.onProblem(error);
    return undefined;
  }
}

function isFinal(error: BonafideError): boolean {
  return error.status === "invalid_argument" || error.status === "unimplemented";
}

function denied(cause: BonafideError): BonafideError {
  return new BonafideError(
    SPIFFE_ERRORS,
    "NO_IDENTITY_ISSUED",
    `the Workload API has no identity for this process: ${cause.message}`,
    { cause, details: cause.details },
  );
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
