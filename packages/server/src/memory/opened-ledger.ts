import type { Actor } from "@bonafide/ledger";
import type { Clock } from "@bonafide/lifetime";
import type { Store } from "@bonafide/plugin-api";
import type { Registry } from "../lane/registry.ts";
import type { Lane } from "../lane/write-lane.ts";
import type { Verdict } from "./core/reconcile.ts";

/** Something that an operator's log should have. */
export type LedgerEvent =
  | { readonly event: "ledger.reconciled"; readonly verdict: Verdict["kind"]; readonly n: number }
  | { readonly event: "ledger.mended"; readonly leaves: number; readonly epoch: number }
  | { readonly event: "ledger.rows-mended"; readonly rows: number }
  | { readonly event: "ledger.held"; readonly reason: string; readonly message: string }
  | { readonly event: "ledger.memory-torn"; readonly bytes: number };

/** What `openLedger` works on; the caller closes the store after the ledger. */
export interface LedgerDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Hears what happened to the ledger; must not throw. Default: nobody. */
  readonly report?: (event: LedgerEvent) => void;
}

/** Options of `openLedger`. */
export interface LedgerOptions {
  /** Name without scheme; must be the ledger's own if it has one already. */
  readonly trustDomain: string;
  /** Random id of this server, from the folder of its keys. */
  readonly serverId: string;
  /** Folder of this server's own memory file, mode 0700; best beside its keys, never beside the store. */
  readonly memoryDir: string;
  /** 0..15, default 0: this server opens only epochs that are this modulo 16. */
  readonly slot?: number;
  /** Minor version of the software, such as `0.1`. */
  readonly version: string;
}

/** Whether this server may write. */
export type Standing =
  | { readonly kind: "writing" }
  | {
      /** Serves what it remembers, writes nothing, waits for a person. */
      readonly kind: "held";
      readonly reason: string;
      /** For the operator; names the command. */
      readonly message: string;
    };

/** A ledger that was reconciled with what this server remembers. */
export interface OpenedLedger extends AsyncDisposable {
  readonly registry: Registry;
  readonly lane: Lane;
  readonly standing: Standing;
  /**
   * Looks at the store: adopts what others wrote, and notices that it was replaced or fell back. Call it now and then
   * while nothing is written.
   *
   * @throws LEDGER_HELD, LEDGER_TOO_NEW, STORE_*
   */
  catchUp(): Promise<void>;
  /**
   * The audited answer to a hold: this store is the truth from now on. What this server remembers beyond it is kept in
   * a side table and abandoned, except removals, bans and the like, which are put back unless `dropRemovals`.
   *
   * @throws LEDGER_NOT_HELD
   */
  acceptRewind(
    actor: Actor,
    options?: { readonly dropRemovals?: boolean; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** Waits for the batch under way, refuses the rest, closes the memory file. Idempotent. */
  close(): Promise<void>;
}
