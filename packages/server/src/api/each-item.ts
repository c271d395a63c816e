import { BonafideError } from "@bonafide/errors";
import type { Log } from "@bonafide/lifetime";
import { SERVER_ERRORS } from "../errors.ts";
import { isOurFault } from "./item-status.ts";
import { mapSliced } from "./time-slices.ts";

/**
 * Does each item of a batch call by itself, with answers in the order of requests. All are started before one is waited
 * for, so that proposals of one call share batches of the lane.
 *
 * @param failed  The answer for an item whose turn threw.
 * @param options.event  What a failure that is our own is called in the log.
 * @throws OVERLOADED  more items than `options.max`
 */
export async function eachItem<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
  failed: (item: T, error: unknown) => R,
  options: { readonly log: Log; readonly event: string; readonly max: number },
): Promise<R[]> {
  const { log, event, max } = options;
  if (items.length > max) {
    throw new BonafideError(SERVER_ERRORS, "OVERLOADED", "too many items in one call");
  }
  const attempt = async (item: T): Promise<R> => {
    try {
      return await act(item);
    } catch (error) {
      if (isOurFault(error)) log({ level: "error", event, error });
      return failed(item, error);
    }
  };
  // Started one after the other, in slices. None rejects.
  const started = await mapSliced(items, (item) => ({ result: attempt(item) }));
  return Promise.all(started.map(({ result }) => result));
}
