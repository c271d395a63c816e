import { BonafideError, isBonafideError } from "@bonafide/errors";
import { backoffMs, type Clock, type Random } from "@bonafide/lifetime";
import { SPIFFE_ERRORS } from "../errors.ts";
import type { X509Context } from "../source/x509-context.ts";
import { readX509Context, type ReadX509ContextOptions } from "./read-x509-context.ts";
import type { WorkloadApiClient } from "./workload-api-client.ts";

/** What {@link followX509} needs. */
export interface FollowDeps {
  readonly client: Pick<WorkloadApiClient, "watchX509Responses">;
  readonly clock: Clock;
  readonly random: Random;
}

/** What {@link followX509} tells. */
export interface FollowListener {
  /** A whole new state; without SVID and bundles after a redaction. */
  onContext(context: X509Context): void;
  /** A failure; the state stays, unless a redaction follows. */
  onProblem(error: BonafideError): void;
}

/** What is left after the Workload API took an identity back (WLA-19). */
const REDACTED: X509Context = { svid: undefined, svids: [], bundles: new Map() };

/** A stream that lived shorter than this did not prove that the endpoint is well, ms. */
const SHORT_LIVED_MS = 1000;

/** Bounds of the longest pause between two tries, ms: a tenth of the SVID's life lies between them. */
const PAUSE_MS_MAX = { least: 1000, most: 30_000 };

/**
 * Follows FetchX509SVID for ever: reconnects at once when a stream that gave something ends, and with growing pauses when
 * it gave nothing, or when it ends soon again and again.
 *
 * @returns When the signal aborts, without an error.
 * @throws the call's error, after an answer that no retry can change: INVALID_ARGUMENT, UNIMPLEMENTED
 * @spec Workload API §4.2, §5.2; Workload Endpoint §6
 */
export async function followX509(
  deps: FollowDeps,
  listener: FollowListener,
  options: ReadX509ContextOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { signal } = options;
  let pauseMsMax = PAUSE_MS_MAX.most;
  for (let failures = 0; !signal.aborted;) {
    const openedMs = deps.clock.monotonicMs();
    let gaveSomething = false;
    let failed = false;
    try {
      for await (const response of deps.client.watchX509Responses({ signal })) {
        const context = read(response, listener, options);
        if (context === undefined) continue;
        gaveSomething = true;
        pauseMsMax = longestPauseMs(context);
      }
    } catch (error) {
      if (isAborted(signal)) return;
      if (!isBonafideError(error)) throw error;
      if (isFinal(error)) throw error;
      failed = true;
      if (error.status === "permission_denied") {
        listener.onProblem(denied(error));
        listener.onContext(REDACTED);
        gaveSomething = false;
      } else listener.onProblem(error);
    }
    const livedMs = deps.clock.monotonicMs() - openedMs;
    failures = gaveSomething && livedMs >= SHORT_LIVED_MS ? 0 : failures + 1;
    // The first end is no failure; an endpoint that ends every stream at once must not be asked in a tight loop.
    const retries = gaveSomething && !failed ? failures - 1 : failures;
    if (retries > 0) await pause(deps, { failures: retries, maxMs: pauseMsMax }, signal);
  }
}

/** Who has an SVID of seconds cannot wait for half a minute: it would expire while the endpoint is well again. */
function longestPauseMs({ svid }: X509Context): number {
  if (svid === undefined) return PAUSE_MS_MAX.most;
  const tenth = (svid.notAfter - svid.notBefore) / 10;
  return Math.max(PAUSE_MS_MAX.least, Math.min(PAUSE_MS_MAX.most, tenth));
}

/** Hands a message on; one that cannot be read is discarded and the state stays (WLA-11). */
function read(
  response: Parameters<typeof readX509Context>[0],
  listener: FollowListener,
  options: ReadX509ContextOptions,
): X509Context | undefined {
  let context: X509Context;
  try {
    context = readX509Context(response, options);
  } catch (error) {
    if (!isBonafideError(error)) throw error;
    listener.onProblem(error);
    return undefined;
  }
  listener.onContext(context);
  return context;
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

async function pause(
  deps: FollowDeps,
  { failures, maxMs }: { readonly failures: number; readonly maxMs: number },
  signal: AbortSignal,
): Promise<void> {
  try {
    const ms = backoffMs(failures, deps.random.fraction(), { maxMs });
    // Keeps the process alive as an open stream does: a program that waits for its identity must not end meanwhile.
    await deps.clock.sleep(ms, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
