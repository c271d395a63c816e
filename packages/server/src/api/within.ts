import { BonafideError } from "@bonafide/errors";
import type { Clock } from "@bonafide/lifetime";
import { SERVER_ERRORS } from "../errors.ts";

/**
 * What a promise gives, if it comes in time: a caller that opens a stream and says nothing must not keep it for ever.
 *
 * @throws REQUEST_TIMED_OUT
 */
export async function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = clock.sleep(ms, { signal: done.signal, unref: true }).then((): never => {
    throw new BonafideError(SERVER_ERRORS, "REQUEST_TIMED_OUT", "the next message did not come");
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    // Its rejection is the abort's echo.
    late.catch(() => {});
    done.abort();
  }
}

/** Messages of a stream, each of which must come in time. @throws REQUEST_TIMED_OUT */
export async function* eachWithin<T>(
  clock: Clock,
  ms: number,
  messages: AsyncIterable<T>,
): AsyncGenerator<T, void, void> {
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await within(clock, ms, iterator.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
