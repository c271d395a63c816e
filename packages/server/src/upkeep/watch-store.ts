import { type Clock, type Log, slept } from "@bonafide/lifetime";
import type { Store } from "@bonafide/plugin-api";
import type { RegistryView } from "../lane/registry-view.ts";
import type { Freshness } from "./freshness.ts";

/** What {@link watchStore} works with. */
export interface StoreWatchDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly freshness: Freshness;
  readonly registry: RegistryView;
  /** Whether the store's word counts: not while it and this server's memory disagree. */
  readonly mayTrust: () => boolean;
  /** Called after each look. */
  readonly looked: () => void;
}

const POLL_MS = 5000;

/** Asks the store whether anything is newer than what is served; the answer keeps the picture fresh. */
export async function watchStore(deps: StoreWatchDeps, signal: AbortSignal): Promise<void> {
  const { store, clock, log, freshness, registry } = deps;
  while (!signal.aborted) {
    const askedAtMs = clock.monotonicMs();
    try {
      const { epoch, n } = await store.ledger.head();
      const { head } = registry;
      const isBehind = epoch > head.epoch || (epoch === head.epoch && n > head.n);
      if (!isBehind && deps.mayTrust()) freshness.confirm(askedAtMs);
    } catch (error) {
      const fields = { ageMs: Math.round(freshness.ageMs()) };
      log({ level: "warn", event: "store.unreachable", fields, error });
    }
    deps.looked();
    if (!(await slept(clock, POLL_MS, signal))) return;
  }
}
