import { type Clock, type Log, slept } from "@bonafide/lifetime";
import { proposeHousekeeping } from "../core/housekeeping.ts";
import type { Lane } from "../lane/write-lane.ts";

/** What {@link keepHouse} works with. */
export interface HousekeepingDeps {
  readonly lane: Lane;
  readonly clock: Clock;
  readonly log: Log;
  readonly serverId: string;
}

/** How often it looks, ms. Nothing waits for it: what is over counts for nothing from its end on. */
const LOOK_MS = 300_000;

/** Removes what is over, again and again, until the signal aborts. */
export async function keepHouse(deps: HousekeepingDeps, signal: AbortSignal): Promise<void> {
  const { lane, clock, log, serverId } = deps;
  const meta = { actor: { server: serverId, via: "housekeeping" }, cause: "expired" };
  while (!signal.aborted) {
    try {
      let removed: number;
      do {
        const { changes } = await lane.submit(proposeHousekeeping(clock.now()), meta);
        removed = changes.length;
        if (removed > 0) log({ level: "info", event: "housekeeping.removed", fields: { removed } });
      } while (removed > 0 && !signal.aborted);
    } catch (error) {
      log({ level: "warn", event: "housekeeping.failed", error });
    }
    if (!(await slept(clock, LOOK_MS, signal))) return;
  }
}
