/** The part of a grpc-js stream that {@link pump} writes to. */
export interface AnswerStream {
  write(message: unknown): boolean;
  end(): unknown;
  on(event: "drain", listener: () => void): unknown;
}

/**
 * Writes all answers of a handler to its call, no faster than they are taken, and ends the call.
 *
 * When the call is over before the answers are, the handler is told by `signal` and by its generator's return().
 */
export async function pump(
  call: AnswerStream,
  answers: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = answers[Symbol.asyncIterator]();
  let wake: (() => void) | undefined;
  // A dead client never drains: its end must wake the writer too, or the handler stays for ever.
  const onAbort = (): void => {
    wake?.();
    Promise.resolve(iterator.return?.()).catch(() => {
      // The call is over; nobody is left to be told.
    });
  };
  call.on("drain", () => wake?.());
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    while (!signal.aborted) {
      const next = await iterator.next();
      if (signal.aborted) return;
      if (next.done === true) {
        call.end();
        return;
      }
      if (!call.write(next.value)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (signal.aborted) resolve();
        });
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
