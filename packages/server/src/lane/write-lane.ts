import { BonafideError, isBonafideError } from "@bonafide/errors";
import {
  type Actor,
  type AnyObject,
  comparePositions,
  equalBytes,
  type ObjectKind,
  type Position,
  type StateName,
} from "@bonafide/ledger";
import type { Clock } from "@bonafide/lifetime";
import type { Head, LedgerStore, StoredLeaf } from "@bonafide/plugin-api";
import type { BuiltBatch } from "./batch-builder.ts";
import { LANE_ERRORS } from "./lane-errors.ts";
import { LANE_BATCH_MAX, LANE_QUEUE_MAX, MOVED_MAX } from "./limits.ts";
import { planBatch, type Plan, type Proposal } from "./plan.ts";
import { checkRoot, forked, leafPages, readLeaves } from "./read-leaves.ts";
import type { Decide } from "./registry-view.ts";
import type { Registry } from "./registry.ts";

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

/** The only way for the rest of the server to write. */
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

/** What {@link WriteLane} works on. */
export interface WriteLaneDeps {
  readonly ledger: LedgerStore;
  readonly registry: Registry;
  readonly clock: Clock;
  /**
   * Keeps leaves that are committed on this server's own disk, before anybody is told of them.
   *
   * @param head  The state that they lead to.
   */
  readonly remember: (leaves: readonly StoredLeaf[], head: Head) => Promise<void>;
  /**
   * Called when the store says that it was replaced, written to behind us, or is another incarnation: opens it anew,
   * reconciles it with what this server remembers and brings the registry up to date. Throws if this server must not
   * write. The failed batch is then judged and tried again.
   */
  readonly reconnect: (cause: unknown) => Promise<void>;
}

/** Bounds of {@link WriteLane}. */
export interface WriteLaneOptions {
  /** Proposals that may wait, default 4096. */
  readonly queueMax?: number;
  /** Proposals judged for one append, default 256; its leaves are at most 256 in any case. */
  readonly batchMax?: number;
}

interface Waiting extends Proposal {
  readonly resolve: (applied: Applied) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The one writer of a server: a bounded queue, drained into one compare-and-append at a time. Batches form by
 * themselves while a commit is in flight; a lone writer does not wait.
 *
 * Order: proposals are judged in the order of their submission. What a caller has seen resolved, every later proposal
 * and every reader of the registry sees.
 */
export class WriteLane implements Lane {
  readonly #deps: WriteLaneDeps;
  readonly #options: Required<WriteLaneOptions>;
  #queue: Waiting[] = [];
  #catchingUp: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  #draining: Promise<void> | undefined;
  #held: string | undefined;
  #closed = false;
  /** Counters for metrics. */
  readonly stats = { batches: 0, changes: 0, moved: 0, refused: 0 };

  constructor(deps: WriteLaneDeps, options: WriteLaneOptions = {}) {
    this.#deps = deps;
    this.#options = { queueMax: LANE_QUEUE_MAX, batchMax: LANE_BATCH_MAX, ...options };
  }

  /** Proposals that wait now. */
  get waiting(): number {
    return this.#queue.length;
  }

  submit(decide: Decide, options: ProposalOptions): Promise<Applied> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    if (this.#queue.length >= this.#options.queueMax) {
      const text = "too many changes wait for the store";
      const busy = new BonafideError(LANE_ERRORS, "STORE_BUSY", text, { retryAfterMs: 1000 });
      return Promise.reject(busy);
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ decide, options, resolve, reject });
      this.#wake();
    });
  }

  /** Adopts what other servers appended, between two batches of our own. @throws as the registry's adoption */
  catchUp(): Promise<void> {
    if (this.#closed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#catchingUp.push({ resolve, reject });
      this.#wake();
    });
  }

  /** Refuses writes with LEDGER_HELD from now on; `message` names what to do. undefined: writes again. */
  hold(message: string | undefined): void {
    this.#held = message;
  }

  /** Waits for the batch under way and refuses the rest. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  #refusal(): BonafideError | undefined {
    if (this.#closed) return closed();
    if (this.#held === undefined) return undefined;
    return new BonafideError(LANE_ERRORS, "LEDGER_HELD", this.#held);
  }

  #wake(): void {
    this.#draining ??= this.#drain();
  }

  /** Never rejects: each failure goes to those who wait. */
  async #drain(): Promise<void> {
    // One turn, so that all who submit within it share the first batch.
    await Promise.resolve();
    while (this.#queue.length > 0 || this.#catchingUp.length > 0) {
      const refusal = this.#refusal();
      if (refusal !== undefined)
        for (const waiting of this.#queue.splice(0)) waiting.reject(refusal);
      const catching = this.#catchingUp;
      this.#catchingUp = [];
      if (catching.length > 0) {
        try {
          await this.#catchUpOrReconnect();
          for (const { resolve } of catching) resolve();
        } catch (error) {
          for (const { reject } of catching) reject(error);
        }
      }
      if (refusal === undefined && this.#queue.length > 0) await this.#writeNext();
    }
    // In the same turn as the check above: in a later microtask, what came between would wait for ever.
    this.#draining = undefined;
  }

  async #writeNext(): Promise<void> {
    const batch = this.#queue.splice(0, this.#options.batchMax);
    try {
      const plan = await this.#write(batch);
      this.#queue = [...plan.deferred, ...this.#queue];
      this.#answer(plan);
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
  }

  async #write(batch: readonly Waiting[]): Promise<Plan<Waiting>> {
    const { registry, clock, remember, reconnect } = this.#deps;
    for (let tries = 0; ; tries += 1) {
      const plan = planBatch(registry, batch, clock.now());
      const { built } = plan;
      if (built === undefined) return plan;
      try {
        if ((await this.#append(built)) === "appended") {
          await remember(built.batch.leaves, built.next);
          registry.adopt(built.leaves, built.range, built.next);
          this.stats.batches += 1;
          return plan;
        }
        this.stats.moved += 1;
        await this.#adoptOthers();
      } catch (error) {
        if (!isLost(error) || tries >= MOVED_MAX) throw error;
        await reconnect(error);
      }
      if (tries >= MOVED_MAX) {
        throw new BonafideError(LANE_ERRORS, "STORE_BUSY", "other servers were always faster");
      }
    }
  }

  /** An append whose answer was lost happened exactly if our own leaf stands where we put it: salts make it ours. */
  async #append({ batch }: BuiltBatch): Promise<"appended" | "moved"> {
    const { ledger, registry } = this.#deps;
    const expected = registry.ledgerHead;
    try {
      return await ledger.append(expected, batch);
    } catch (error) {
      if (!isBonafideError(error, "STORE_UNKNOWN_OUTCOME")) throw error;
      const [found] = await ledger.leavesAfter(expected.n, 1);
      const [ours] = batch.leaves;
      if (found === undefined || ours === undefined) throw error;
      return equalBytes(found.leaf, ours.leaf) ? "appended" : "moved";
    }
  }

  async #catchUpOrReconnect(): Promise<void> {
    try {
      await this.#adoptOthers();
    } catch (error) {
      // A server on hold waits for a person; it does not look again by itself.
      if (!isLost(error) || this.#held !== undefined) throw error;
      await this.#deps.reconnect(error);
    }
  }

  async #adoptOthers(): Promise<void> {
    const { ledger, registry, remember, reconnect } = this.#deps;
    const head = await ledger.head();
    const from = registry.ledgerHead;
    if (head.n < from.n || comparePositions(head, from) < 0) throw forked("the store fell back");
    const now = await ledger.incarnation();
    const { openedIn } = head;
    if (now.system !== openedIn.system || now.timeline !== openedIn.timeline) {
      // The head moved under nobody's hand: a standby was promoted, and an epoch must be opened first.
      await reconnect(undefined);
      return;
    }
    const range = registry.range.clone();
    const stored: StoredLeaf[] = [];
    for await (const page of leafPages(ledger, from.n, head.n)) stored.push(...page);
    const leaves = readLeaves(stored, range);
    checkRoot(range, leaves.at(-1)?.leaf.epoch ?? from.epoch, head);
    if (stored.length === 0) return;
    await remember(stored, head);
    registry.adopt(leaves, range, head);
  }

  #answer(plan: Plan<Waiting>): void {
    const state = this.#deps.registry.head;
    for (const judged of plan.judged) {
      if ("refusal" in judged) {
        this.stats.refused += 1;
        judged.proposal.reject(judged.refusal);
      } else {
        this.stats.changes += judged.changes.length;
        judged.proposal.resolve({ changes: judged.changes, state });
      }
    }
  }
}

/** Whether the store is not what it was, so that it must be opened anew and compared with what is remembered. */
function isLost(error: unknown): boolean {
  return (
    isBonafideError(error, "STORE_REPLACED") ||
    isBonafideError(error, "STORE_CHANGED_OUTSIDE") ||
    isBonafideError(error, "LEDGER_FORKED")
  );
}

function closed(): BonafideError {
  return new BonafideError(LANE_ERRORS, "LANE_CLOSED", "the write lane was closed");
}
