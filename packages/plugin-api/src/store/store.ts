import type { LedgerStore } from "./ledger-store.ts";
import type {
  AuthorityStore,
  EntryStore,
  JoinTokenStore,
  NodeStore,
  ProjectionStore,
  SoftStateStore,
} from "./read-stores.ts";

/** Everything that one opened database offers; the ports share its connections and its lifetime. */
export interface Store {
  readonly ledger: LedgerStore;
  readonly entries: EntryStore;
  readonly nodes: NodeStore;
  readonly joinTokens: JoinTokenStore;
  readonly authorities: AuthorityStore;
  readonly soft: SoftStateStore;
  readonly projections: ProjectionStore;
  /**
   * Lets go of the database and opens it again by its name, after STORE_REPLACED or STORE_CHANGED_OUTSIDE. Calls that
   * are under way fail with STORE_UNAVAILABLE. Nothing that was read before may be trusted until it is reconciled.
   */
  reopen(): Promise<void>;
  /** Ends all calls under way, then lets go of the database. Idempotent. */
  close(): Promise<void>;
}
