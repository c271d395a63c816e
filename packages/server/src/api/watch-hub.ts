import { type Clock, slept } from "@bonafide/lifetime";
import type { Connection } from "@bonafide/rpc";
import type { AdoptedChange, Registry } from "../lane/registry.ts";
import { LIMITS } from "../limits.ts";
import { nextTurn } from "../next-turn.ts";
import { TimeSlices } from "./time-slices.ts";

/** A stream that waits for changes of one node's picture. */
export interface Watcher {
  readonly nodeId: string;
  readonly connection: Connection;
  /** What it was looking under when it was last told: see `Entitlement.parents`. */
  parents: ReadonlySet<string>;
}

interface Waiting extends Watcher {
  isDirty: boolean;
  isOver: boolean;
  wake: () => void;
}

/** Streams woken in one turn of the loop; each then works out what changed for it. */
const WAKE_AT_ONCE = 8;

/** What one batch of changes touches. */
interface Touched {
  /** Authorities, bundles, epochs: everybody's picture. */
  everybody: boolean;
  readonly nodes: Set<string>;
  readonly parents: Set<string>;
}

/**
 * Wakes push streams when the ledger changed something for them. Wake-ups are coalesced: a stream that is busy, or whose
 * peer reads slowly, finds only the newest state when it comes to look.
 */
export class WatchHub {
  readonly #clock: Clock;
  readonly #watchers = new Set<Waiting>();
  /** By the connection itself: ids are unique within one gRPC server, and there are several. */
  readonly #connections = new Map<Connection, number>();
  readonly #nodes = new Map<string, Set<Waiting>>();
  readonly #stop: () => void;
  #touched: Touched | undefined;

  constructor(registry: Registry, clock: Clock) {
    this.#clock = clock;
    this.#stop = registry.onAdopted((changes) => {
      this.#touch(changes);
    });
  }

  /** How many streams are open. */
  get size(): number {
    return this.#watchers.size;
  }

  /** Whether a connection carries a stream. */
  isWatching(connection: Connection): boolean {
    return this.#connections.has(connection);
  }

  /** Begins to watch. Remove it again, whatever happens. */
  add(nodeId: string, connection: Connection): Watcher {
    const watcher: Waiting = {
      nodeId,
      connection,
      parents: new Set(),
      isDirty: false,
      isOver: false,
      wake: () => {},
    };
    this.#makeRoom(nodeId);
    this.#watchers.add(watcher);
    this.#ofNode(nodeId).add(watcher);
    this.#connections.set(connection, (this.#connections.get(connection) ?? 0) + 1);
    return watcher;
  }

  /** Whether a newer stream of the same node took its place. */
  isOver(watcher: Watcher): boolean {
    return isWaiting(watcher) && watcher.isOver;
  }

  /** Ends watching. */
  remove(watcher: Watcher): void {
    if (!isWaiting(watcher) || !this.#watchers.delete(watcher)) return;
    const ofNode = this.#ofNode(watcher.nodeId);
    ofNode.delete(watcher);
    if (ofNode.size === 0) this.#nodes.delete(watcher.nodeId);
    const left = (this.#connections.get(watcher.connection) ?? 1) - 1;
    if (left === 0) this.#connections.delete(watcher.connection);
    else this.#connections.set(watcher.connection, left);
  }

  /**
   * Resolves once something changed for the watcher since the last call, after `ms`, or when the signal aborts.
   */
  async wait(watcher: Watcher, ms: number, signal: AbortSignal): Promise<void> {
    if (!isWaiting(watcher)) return;
    if (!watcher.isDirty && !watcher.isOver && !signal.aborted) {
      const woken = new AbortController();
      watcher.wake = () => {
        woken.abort();
      };
      // Woken, over or late: the caller looks.
      await slept(this.#clock, ms, AbortSignal.any([signal, woken.signal]));
      watcher.wake = () => {};
    }
    watcher.isDirty = false;
  }

  /** Wakes everybody, to look whether they may go on. */
  wakeAll(): void {
    this.#mark({ everybody: true, nodes: new Set(), parents: new Set() });
  }

  /** Stops listening to the registry. */
  close(): void {
    this.#stop();
  }

  #ofNode(nodeId: string): Set<Waiting> {
    const found = this.#nodes.get(nodeId) ?? new Set();
    this.#nodes.set(nodeId, found);
    return found;
  }

  /** The newest stream wins: an old one may hang on a connection that is half open. */
  #makeRoom(nodeId: string): void {
    const open = [...this.#ofNode(nodeId)].filter(({ isOver }) => !isOver);
    for (const old of open.slice(0, Math.max(0, open.length + 1 - LIMITS.watchesPerNode))) {
      old.isOver = true;
      old.wake();
    }
  }

  #touch(changes: readonly AdoptedChange[]): void {
    const touched: Touched = { everybody: false, nodes: new Set(), parents: new Set() };
    for (const { kind, naturalKey, before, after } of changes) {
      if (kind === "node") touched.nodes.add(naturalKey);
      else if (kind === "authority" || kind === "bundle" || kind === "epoch") {
        touched.everybody = true;
      }
      for (const object of [before, after]) {
        if (object?.kind === "entry") touched.parents.add(object.parentId);
      }
    }
    this.#mark(touched);
  }

  #mark(touched: Touched): void {
    const before = this.#touched;
    if (before === undefined) {
      this.#touched = touched;
      void this.#wakeTouched();
      return;
    }
    before.everybody ||= touched.everybody;
    for (const node of touched.nodes) before.nodes.add(node);
    for (const parent of touched.parents) before.parents.add(parent);
  }

  /** A slice at a time: with ten thousand streams even asking each of them takes longer than a slice. */
  async #wakeTouched(): Promise<void> {
    const slices = new TimeSlices();
    let woken = 0;
    for (let touched = this.#touched; touched !== undefined;) {
      // What comes while we wake is for the next round; one that is awake already looks again.
      this.#touched = { everybody: false, nodes: new Set(), parents: new Set() };
      for (const watcher of this.#watchers) {
        await slices.pause();
        if (!concerns(touched, watcher)) continue;
        watcher.isDirty = true;
        watcher.wake();
        if (++woken % WAKE_AT_ONCE === 0) await nextTurn();
      }
      const next: Touched = this.#touched;
      const isMore = next.everybody || next.nodes.size > 0 || next.parents.size > 0;
      touched = isMore ? next : undefined;
    }
    this.#touched = undefined;
  }
}

function concerns(touched: Touched, watcher: Watcher): boolean {
  if (touched.everybody || touched.nodes.has(watcher.nodeId)) return true;
  const { parents } = watcher;
  const [few, many] =
    parents.size < touched.parents.size ? [parents, touched.parents] : [touched.parents, parents];
  for (const parent of few) if (many.has(parent)) return true;
  return false;
}

function isWaiting(watcher: Watcher): watcher is Waiting {
  return "isDirty" in watcher;
}
