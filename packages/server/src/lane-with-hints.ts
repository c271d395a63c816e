import { BonafideError, isBonafideError } from "@bonafide/errors";
import type { Lane } from "./lane/write-lane.ts";

/** When a refused write is worth trying again, if nobody knows better, ms. */
const RETRY_MS = 2000;

/** A lane whose refusals say when to come again: clients of a store that is away should not all guess. */
export function laneWithHints(lane: Lane): Lane {
  return {
    async submit(decide, options) {
      try {
        return await lane.submit(decide, options);
      } catch (error) {
        if (!isBonafideError(error) || !error.retry || error.retryAfterMs !== undefined)
          throw error;
        const { code, status, retry, message, details } = error;
        throw new BonafideError({ [code]: { status, retry } }, code, message, {
          cause: error,
          details,
          retryAfterMs: RETRY_MS,
        });
      }
    },
  };
}
