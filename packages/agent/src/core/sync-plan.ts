import { backoffMs } from "@bonafide/lifetime";
import { FIRST_PAUSE_MS } from "./pauses.ts";

/** How the agent hears of changes. */
export type SyncMode = "push" | "poll";

/** What the synchroniser remembers between its rounds. */
export interface SyncState {
  readonly mode: SyncMode;
  /** Failed rounds in a row. */
  readonly failures: number;
  /** Monotonic ms from which a polling agent asks for push again. */
  readonly probePushAtMs: number;
}

/** How a round ended. */
export type SyncOutcome =
  /** A poll succeeded, or a push stream that had delivered ended in good order. */
  | { readonly kind: "done" }
  /** Another SVID is there, and the stream under the one before stands until the next one delivers. */
  | { readonly kind: "rotated" }
  /** The server does not know the push service. */
  | { readonly kind: "unimplemented" }
  | { readonly kind: "failed"; readonly retryAfterMs?: number };

/** A polling agent asks its server for push again after so long: it may have been upgraded. */
const PROBE_PUSH_MS = 600_000;

/** Before the first round. */
export const firstSyncState: SyncState = { mode: "push", failures: 0, probePushAtMs: 0 };

/** Decides how and when the next round begins. */
export function nextSync(
  state: SyncState,
  outcome: SyncOutcome,
  at: {
    readonly monotonicMs: number;
    readonly fraction: number;
    readonly pollIntervalMs: number;
    /** Longest pause after failures, ms. */
    readonly pauseMsMax: number;
  },
): { readonly state: SyncState; readonly waitMs: number } {
  const { monotonicMs, fraction, pollIntervalMs, pauseMsMax } = at;
  switch (outcome.kind) {
    case "rotated":
      return { state: { ...state, failures: 0 }, waitMs: 0 };
    case "unimplemented":
      return {
        state: { mode: "poll", failures: 0, probePushAtMs: monotonicMs + PROBE_PUSH_MS },
        waitMs: 0,
      };
    case "failed": {
      const failures = state.failures + 1;
      const own = backoffMs(failures, fraction, {
        firstMs: FIRST_PAUSE_MS.sync,
        maxMs: pauseMsMax,
      });
      const told = outcome.retryAfterMs ?? 0;
      // A hint is the least; jitter is added, or all clients that got it would come back together.
      return { state: { ...state, failures }, waitMs: Math.max(own, told * (1 + fraction / 4)) };
    }
    case "done": {
      if (state.mode === "push") {
        // Streams end after a set time; spread the reconnects over half a second.
        return { state: { ...state, failures: 0 }, waitMs: fraction * FIRST_PAUSE_MS.sync };
      }
      const mode = monotonicMs >= state.probePushAtMs ? "push" : "poll";
      return {
        state: { ...state, mode, failures: 0 },
        waitMs: pollIntervalMs * (0.9 + 0.2 * fraction),
      };
    }
    default:
      return outcome satisfies never;
  }
}
