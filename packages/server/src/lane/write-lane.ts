import type { Actor, ObjectKind, StateName } from "@bonafide/ledger";
import type { AnyObject, Position } from "@bonafide/ledger";
import type { Decide } from "./registry-view.ts";

/** Who proposes and why; goes into each leaf of the proposal. */
export interface ProposalOptions {
  readonly actor: Actor;
  /** A short sentence or code for people: the RPC, the command, the rule. */
  readonly cause: string;
  /** At most 16 bytes that make a repeated request recognisable; default none. */
  readonly requestId?: Uint8Array;
}

/** One change as it was written. */
export interface AppliedChange extends Position {
  readonly kind: ObjectKind;
  readonly naturalKey: string;
  /** undefined: removed. */
  readonly object: AnyObject | undefined;
  readonly firstN: number;
  /** The number to tell on the wire. */
  readonly number: number;
}

/** What became of a proposal. */
export interface Applied {
  /** In the order in which `decide` returned them; empty if it wanted none. */
  readonly changes: readonly AppliedChange[];
  /** The state that the changes are part of; it may hold later proposals of the batch too. */
  readonly state: StateName;
}

/** The only way for the rest of the server to write. See `WriteLane` for what it promises. */
export interface Lane {
  /**
   * Judges a proposal against the newest state and writes what it wants, all or nothing. Resolves once the changes are
   * durable, remembered on this server's own disk, and in the registry.
   *
   * @throws whatever `decide` throws
   * @throws STORE_BUSY  too many changes wait
   * @throws LEDGER_HELD, LEDGER_TOO_NEW  this server must not write until a person or an upgrade came
   * @throws LANE_CLOSED
   * @throws STORE_READ_ONLY, STORE_FULL, STORE_UNAVAILABLE, STORE_UNKNOWN_OUTCOME  from the store
   */
  submit(decide: Decide, options: ProposalOptions): Promise<Applied>;
}
