import type { Clock } from "./clock.ts";

/**
 * Waits without keeping the process alive, unless `keepAlive` is set, and says whether the time passed: false if the signal aborted.
 *
 * @throws what the clock throws for any other reason than the signal
 */
export async function slept(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  { keepAlive = false }: { readonly keepAlive?: boolean } = {},
): Promise<boolean> {
  try {
    await clock.sleep(ms, { signal, unref: !keepAlive });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
