import { type Clock, slept } from "@bonafide/lifetime";
import { type ClockReading, jumpBetween } from "../core/clock-jump.ts";

/** The clocks are compared so often, ms: a machine that woke up is noticed that soon. */
const LOOK_MS = 1000;

/**
 * Notices that the wall clock and the monotonic one went apart: the machine slept, or its clock was set (ADR-0111). Runs
 * until the signal aborts.
 *
 * @param onJump  Told by how much the wall clock went beyond the monotonic one, ms.
 */
export async function watchClockJumps(
  clock: Clock,
  onJump: (jumpMs: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let base = read(clock);
  while (await slept(clock, LOOK_MS, signal)) {
    const now = read(clock);
    const jumpMs = jumpBetween(base, now);
    if (jumpMs === 0) continue;
    base = now;
    onJump(jumpMs);
  }
}

function read(clock: Clock): ClockReading {
  const beforeMs = clock.monotonicMs();
  return { beforeMs, now: clock.now(), afterMs: clock.monotonicMs() };
}
