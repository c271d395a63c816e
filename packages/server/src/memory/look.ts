import { decodeLeaf, type Incarnation, leafHash, toHex } from "@bonafide/ledger";
import type { Head, Store, StoredLeaf } from "@bonafide/plugin-api";
import { leafPages } from "../lane/read-leaves.ts";
import { reconcile, type Seen, type Verdict } from "./core/reconcile.ts";
import { abandonedBy } from "./lost-leaves.ts";
import type { MemoryFile } from "./memory-file.ts";
import type { Remembered } from "./remembered.ts";

/** What a look at the store gave. */
export interface Look {
  readonly head: Head;
  readonly incarnation: Incarnation & { readonly inRecovery: boolean };
  readonly remembered: Remembered | undefined;
  readonly verdict: Verdict;
  /** Stored leaves after the branch; only there if something is lost. */
  readonly after: readonly StoredLeaf[];
}

/** Compares what a store shows with what the memory file holds. @throws STORE_*, MEMORY_* */
export async function lookAt(store: Store, memory: MemoryFile): Promise<Look> {
  const { ledger } = store;
  const [head, incarnation] = await Promise.all([ledger.head(), ledger.incarnation()]);
  const remembered = await memory.recall();
  const stored = new Map<number, StoredLeaf>();
  const load = async (n: number): Promise<void> => {
    for await (const page of leafPages(ledger, n, head.n)) {
      for (const one of page) stored.set(decodeLeaf(one.leaf).n, one);
    }
  };
  let after: readonly StoredLeaf[] = [];
  if (remembered !== undefined) {
    const [same] = await ledger.leavesAfter(remembered.n - 1, 1);
    if (same === undefined || toHex(leafHash(same.leaf)) !== remembered.hashAt(remembered.n)) {
      await load(Math.max(0, remembered.from - 1));
    } else stored.set(remembered.n, same);
  }
  const abandoned = abandonedBy([...stored.values()]);
  const seen: Seen = {
    epoch: head.epoch,
    n: head.n,
    incarnation,
    openedIn: head.openedIn,
    inRecovery: incarnation.inRecovery,
    hashAt: (n) => {
      const one = stored.get(n);
      return one === undefined ? "not stored" : toHex(leafHash(one.leaf));
    },
    epochAt: (n) => {
      const one = stored.get(n);
      return one === undefined ? head.epoch : decodeLeaf(one.leaf).epoch;
    },
    abandoned: (_, n) => abandoned.has(remembered?.hashAt(n) ?? ""),
  };
  const verdict = reconcile(remembered, seen);
  if ("branch" in verdict && verdict.branch !== undefined) {
    const { branch } = verdict;
    after = [...stored].filter(([n]) => n > branch).map(([, one]) => one);
  }
  return { head, incarnation, remembered, verdict, after };
}
