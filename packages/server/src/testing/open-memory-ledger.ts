import { replay } from "../lane/replay.ts";
import { WriteLane } from "../lane/write-lane.ts";
import type { LedgerDeps, LedgerOptions, OpenedLedger } from "../memory/open-ledger.ts";

/** A ledger straight on a store, without a memory of its own: for tests of what is above it. */
export async function openMemoryLedger(
  { store, clock }: LedgerDeps,
  _options: LedgerOptions,
): Promise<OpenedLedger> {
  const registry = await replay(store.ledger, await store.ledger.head());
  const lane = new WriteLane({
    ledger: store.ledger,
    registry,
    clock,
    remember: () => Promise.resolve(),
    reconnect: (cause) => Promise.reject(cause),
  });
  const close = (): Promise<void> => lane.close();
  return {
    registry,
    lane,
    standing: { kind: "writing" },
    acceptRewind: () => Promise.resolve(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
