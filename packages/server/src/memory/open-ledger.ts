import { BonafideError, isBonafideError } from "@bonafide/errors";
import {
  type Actor,
  CompactRange,
  EMPTY_ROOT,
  leafHash,
  type ServerObject,
  toHex,
} from "@bonafide/ledger";
import type { Head, StoredLeaf } from "@bonafide/plugin-api";
import { BatchBuilder } from "../lane/batch-builder.ts";
import { LANE_ERRORS } from "../lane/lane-errors.ts";
import { readLeaves } from "../lane/read-leaves.ts";
import { Registry } from "../lane/registry.ts";
import { replay } from "../lane/replay.ts";
import { WriteLane } from "../lane/write-lane.ts";
import { acceptStore } from "./accept-store.ts";
import { planMending } from "./core/plan-mending.ts";
import type { Verdict } from "./core/reconcile.ts";
import { holdMessage } from "./hold-message.ts";
import { LedgerWriter } from "./ledger-writer.ts";
import { type Look, lookAt } from "./look.ts";
import { abandonedBy, addMending, readLost, settledBy, slotN } from "./lost-leaves.ts";
import { MEMORY_ERRORS } from "./memory-errors.ts";
import { MemoryFile } from "./memory-file.ts";
import type { LedgerDeps, LedgerOptions, OpenedLedger, Standing } from "./opened-ledger.ts";

/** Appends that other servers may win in a row before a reconciliation gives up. */
const TRIES_MAX = 20;

/**
 * Opens the ledger on a store: makes it if it is empty and nothing is remembered, reads it whole and checks it, compares
 * it with this server's own memory, and acts on the verdict before anybody reads or writes.
 *
 * A store that lost what this server remembers is mended by rule. What only a person can settle is held: the registry
 * then has what this server remembers, as far as that is known, and nothing is written.
 *
 * @throws LEDGER_FORKED, LEDGER_TOO_NEW, LEAF_*, BODY_MALFORMED  the store cannot be trusted as read
 * @throws LEDGER_NOT_USED, LEDGER_OTHER_TRUST_DOMAIN
 * @throws MEMORY_CORRUPT, MEMORY_UNWRITABLE
 * @throws STORE_*
 */
export async function openLedger(deps: LedgerDeps, options: LedgerOptions): Promise<OpenedLedger> {
  const memory = await MemoryFile.open({ dir: options.memoryDir, clock: deps.clock });
  const ledger = new Ledger(deps, options, memory);
  try {
    await ledger.open();
  } catch (error) {
    await memory.close();
    throw error;
  }
  return ledger;
}

class Ledger implements OpenedLedger {
  readonly #deps: LedgerDeps;
  readonly #options: LedgerOptions;
  readonly #memory: MemoryFile;
  readonly #writer: LedgerWriter;
  #registry: Registry | undefined;
  #lane: WriteLane | undefined;
  #standing: Standing = { kind: "writing" };

  constructor(deps: LedgerDeps, options: LedgerOptions, memory: MemoryFile) {
    this.#deps = deps;
    this.#options = options;
    this.#memory = memory;
    this.#writer = new LedgerWriter(deps, options, memory);
  }

  get registry(): Registry {
    if (this.#registry === undefined) throw new RangeError("the ledger is not open");
    return this.#registry;
  }

  get lane(): WriteLane {
    if (this.#lane === undefined) throw new RangeError("the ledger is not open");
    return this.#lane;
  }

  get standing(): Standing {
    return this.#standing;
  }

  async open(): Promise<void> {
    const { store, clock } = this.#deps;
    const { droppedBytes: bytes } = this.#memory;
    if (bytes > 0) this.#deps.report?.({ event: "ledger.memory-torn", bytes });
    await this.#settle();
    this.#lane = new WriteLane({
      ledger: store.ledger,
      registry: this.registry,
      clock,
      remember: (leaves, head) => this.#memory.remember(leaves, head),
      reconnect: () => this.#reconnect(),
    });
    if (this.#standing.kind === "held") this.#lane.hold(this.#standing.message);
    else await this.#register();
  }

  catchUp(): Promise<void> {
    return this.lane.catchUp();
  }

  async acceptRewind(
    actor: Actor,
    options: { readonly dropRemovals?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    options.signal?.throwIfAborted();
    if (this.#standing.kind !== "held") {
      const text = "nothing is held: there is nothing to accept";
      throw new BonafideError(MEMORY_ERRORS, "LEDGER_NOT_HELD", text);
    }
    await this.#deps.store.reopen();
    const look = await lookAt(this.#deps.store, this.#memory);
    const registry = await acceptStore(
      { ...this.#deps, memory: this.#memory, writer: this.#writer },
      look,
      { actor, dropRemovals: options.dropRemovals === true },
    );
    this.#take(registry);
    this.#standing = { kind: "writing" };
    this.lane.hold(undefined);
    const { kind: verdict } = look.verdict;
    this.#deps.report?.({ event: "ledger.reconciled", verdict, n: registry.head.n });
    await this.#register();
  }

  async close(): Promise<void> {
    await this.#lane?.close();
    await this.#memory.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** After the store said that it is not what it was. @throws LEDGER_HELD, and what the store throws */
  async #reconnect(): Promise<void> {
    try {
      await this.#deps.store.reopen();
      await this.#settle();
    } catch (error) {
      // What waiting does not mend; only a newer leaf is no damage, and goes away with an upgrade.
      const broken = isBonafideError(error) && !error.retry && error.code !== "LEDGER_TOO_NEW";
      if (!broken) throw error;
      const message =
        `${error.message}. Nothing is written until a person has looked: ` +
        "put a whole database back and restart";
      this.#standing = { kind: "held", reason: error.code, message };
      this.#lane?.hold(message);
      this.#deps.report?.({ event: "ledger.held", reason: error.code, message });
    }
    if (this.#standing.kind !== "held") return;
    throw new BonafideError(LANE_ERRORS, "LEDGER_HELD", this.#standing.message);
  }

  /** Looks, decides and acts, until the store stands still for long enough. */
  async #settle(): Promise<void> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const look = await lookAt(this.#deps.store, this.#memory);
      if (await this.#act(look)) {
        const { kind: verdict } = look.verdict;
        this.#deps.report?.({ event: "ledger.reconciled", verdict, n: this.registry.head.n });
        return;
      }
    }
    throw new BonafideError(LANE_ERRORS, "STORE_BUSY", "other servers were always faster");
  }

  /** @returns false: another server was faster; look again */
  async #act(look: Look): Promise<boolean> {
    const { verdict, head, remembered } = look;
    switch (verdict.kind) {
      case "not-used": {
        const text = `this database is not used: it is a ${verdict.reason.replace("-", " ")}`;
        throw new BonafideError(MEMORY_ERRORS, "LEDGER_NOT_USED", text);
      }
      case "hold":
        await this.#hold(look, verdict);
        return true;
      case "go-on":
        return this.#goOn(look);
      case "open-epoch": {
        const registry = await this.#writer.read(head);
        const opened = await this.#writer.openEpoch(registry, look, { cause: "promotion" });
        if (!opened) return false;
        await this.#writer.rememberFrom(registry, remembered?.n);
        this.#take(registry);
        return true;
      }
      default:
        return this.#mend(look, verdict);
    }
  }

  async #goOn(look: Look): Promise<boolean> {
    const { head, remembered, incarnation } = look;
    const registry = await this.#writer.read(head);
    if (head.n === 0 && !incarnation.inRecovery && !(await this.#writer.nameLedger(registry)))
      return false;
    if (registry.floor.n === 0) {
      // Also after a crash between the two: leaf 1 alone is in epoch 0, and each epoch begins with its opening.
      const opened = await this.#writer.openEpoch(registry, look, { cause: "the first start" });
      if (!opened) return false;
    }
    await this.#writer.mendRows(registry);
    if (registry.head.n > (remembered?.n ?? 0)) {
      await this.#writer.rememberFrom(registry, remembered?.n);
    }
    this.#take(registry);
    return true;
  }

  /** Puts back what the store lost, in the transaction that opens the epoch if one must be opened. */
  async #mend(
    { head, remembered, after, ...rest }: Look,
    verdict: Extract<Verdict, { readonly kind: "rewind" | "late-memory" }>,
  ): Promise<boolean> {
    if (remembered === undefined) throw new RangeError("nothing is remembered");
    const { ledger } = this.#deps.store;
    const { branch } = verdict;
    const registry = await this.#writer.read(head);
    const before = branch === head.n ? registry : await replay(ledger, head, branch);
    const abandoned = abandonedBy(after);
    const gone = remembered
      .leavesAfter(branch)
      .filter(({ leaf }) => !abandoned.has(toHex(leafHash(leaf))));
    const lost = readLost(gone, before);
    const newestOf = (name: string): number | undefined => slotN(registry, name);
    const mendings = planMending(lost, branch, newestOf, settledBy(after));
    const mendAll = (builder: BatchBuilder): readonly StoredLeaf[] => {
      for (const mending of mendings) addMending(builder, mending, lost);
      return [];
    };
    if (verdict.kind === "rewind" || verdict.openEpoch) {
      const look = { head, remembered, after, ...rest };
      if (!(await this.#writer.openEpoch(registry, look, { cause: verdict.kind }, mendAll)))
        return false;
    } else if (mendings.length > 0) {
      const builder = new BatchBuilder(registry, { time: this.#deps.clock.now() });
      mendAll(builder);
      if (!(await this.#writer.append(registry, builder.build()))) return false;
    }
    const { epoch } = registry.head;
    this.#deps.report?.({ event: "ledger.mended", leaves: mendings.length, epoch });
    await this.#writer.rememberFrom(registry, branch);
    this.#take(registry);
    return true;
  }

  /** Serves on what is remembered. Without a common leaf nothing is known whole, so nothing is served at a start. */
  async #hold(
    { head, remembered, verdict }: Look,
    { reason, branch }: Extract<Verdict, { readonly kind: "hold" }>,
  ): Promise<void> {
    const stored = head.n;
    const message = holdMessage(reason, { remembered: remembered?.n ?? 0, stored, branch });
    this.#standing = { kind: "held", reason, message };
    this.#lane?.hold(message);
    this.#deps.report?.({ event: "ledger.held", reason, message });
    if (this.#registry !== undefined) return;
    let registry = emptyRegistry(head);
    if (branch !== undefined && remembered !== undefined) {
      registry = await replay(this.#deps.store.ledger, head, branch);
      const range = registry.range.clone();
      const leaves = readLeaves(remembered.leavesAfter(branch), range);
      const { epoch, n, root } = remembered.name;
      registry.adopt(leaves, range, { ...head, epoch, n, root });
    }
    this.#registry = registry;
    if (verdict.kind !== "hold") throw new RangeError("not held");
  }

  #take(registry: Registry): void {
    this.#standing = { kind: "writing" };
    this.#lane?.hold(undefined);
    if (this.#registry === undefined) this.#registry = registry;
    else this.#registry.become(registry);
  }

  /** Says in the ledger that this server is here, if it does not say so yet. */
  async #register(): Promise<void> {
    const { serverId: id, slot = 0, version } = this.#options;
    const known = this.registry.find("server", id)?.object;
    if (known?.slot === slot && known.version === version) return;
    const server: ServerObject = {
      kind: "server",
      id,
      slot,
      version,
      logKeys: known?.logKeys ?? [],
    };
    try {
      const actor = { via: "start", server: id };
      await this.lane.submit(() => [{ put: server }], { actor, cause: "server.started" });
    } catch (error) {
      // A store that refuses writes must not keep a server from serving; the next start says it.
      if (!isBonafideError(error) || !error.retry) throw error;
    }
  }
}

function emptyRegistry(head: Head): Registry {
  return new Registry({ ...head, epoch: 0, n: 0, root: EMPTY_ROOT }, new CompactRange());
}
