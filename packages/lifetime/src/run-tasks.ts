/** Background work that ends when its signal aborts. */
export type Task = (signal: AbortSignal) => Promise<void>;

/**
 * Runs tasks together: the first failure aborts the others, all are awaited, then that failure is thrown.
 *
 * A task that rejects after the abort is only awaited; its rejection is the abort's echo. Returns once every task has
 * ended, and throws nothing when `signal` aborted and no task failed before.
 */
export async function runTasks(signal: AbortSignal, tasks: readonly Task[]): Promise<void> {
  const ending = new AbortController();
  const all = AbortSignal.any([signal, ending.signal]);
  let first: { readonly cause: unknown } | undefined;
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task(all);
      } catch (cause) {
        if (!all.aborted) first ??= { cause };
        ending.abort(cause);
      }
    }),
  );
  if (first !== undefined) throw first.cause;
}
