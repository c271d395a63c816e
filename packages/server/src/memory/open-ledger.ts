import { BonafideError, isBonafideError } from "@bonafide/errors";
import {
  type Abandoned,
  type Actor,
  CompactRange,
  EMPTY_ROOT,
  type Incarnation,
  leafHash,
  type Meta,
  NAMED_LEAVES_MAX,
  naturalKeyOf,
  type Position,
  type ServerObject,
  toHex,
} from "@bonafide/ledger";
import type { AppendBatch, Head, StoredLeaf } from "@bonafide/plugin-api";
import { BatchBuilder, type BuiltBatch } from "../lane/batch-builder.ts";
import { LANE_ERRORS } from "../lane/lane-errors.ts";
import { leafPages, readLeaves } from "../lane/read-leaves.ts";
import { Registry } from "../lane/registry.ts";
import { replay } from "../lane/replay.ts";
import { WriteLane } from "../lane/write-lane.ts";
import { EPOCH_BEFORE_FIRST, nextEpoch } from "./core/epoch-slots.ts";
import { planMending } from "./core/plan-mending.ts";
import type { Verdict } from "./core/reconcile.ts";
import { holdMessage } from "./hold-message.ts";
import { type Look, lookAt } from "./look.ts";
import { abandonedBy, addMending, type Lost, readLost, settledBy } from "./lost-leaves.ts";
import { MEMORY_ERRORS } from "./memory-errors.ts";
import { MemoryFile } from "./memory-file.ts";
import { rowsToMend } from "./mend-rows.ts";
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
  #registry: Registry | undefined;
  #lane: WriteLane | undefined;
  #standing: Standing = { kind: "writing" };

  constructor(deps: LedgerDeps, options: LedgerOptions, memory: MemoryFile) {
    this.#deps = deps;
    this.#options = options;
    this.#memory = memory;
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
    const { store } = this.#deps;
    await store.reopen();
    const look = await lookAt(this.#deps.store, this.#memory);
    const { remembered, head, verdict } = look;
    const stored = new Set<string>();
    for await (const page of leafPages(store.ledger, 0, head.n)) {
      for (const { leaf } of page) stored.add(toHex(leafHash(leaf)));
    }
    const gone = (remembered?.leavesAfter(0) ?? []).filter(
      ({ leaf }) => !stored.has(toHex(leafHash(leaf))),
    );
    const registry = await this.#read(head);
    const lost = readLost(gone, registry);
    const kept = options.dropRemovals === true ? [] : keptRemovals(lost, registry, look);
    const settles = new Set(kept.flatMap((mending) => mending.settles));
    const abandoned = gone.filter(({ leaf }) => !settles.has(toHex(leafHash(leaf))));
    const place = remembered ?? { epoch: 0, n: 0, root: EMPTY_ROOT };
    const newest = { epoch: place.epoch, n: place.n, root: remembered?.name.root ?? EMPTY_ROOT };
    const names = chunks(abandoned, NAMED_LEAVES_MAX).map((some) => ({
      newest,
      leafHashes: some.map(({ leaf }) => leafHash(leaf)),
    }));
    const cause = options.dropRemovals === true ? "accept-rewind --drop-removals" : "accept-rewind";
    const [first = [], ...rest] = chunks(kept, NAMED_LEAVES_MAX);
    if (head.n === 0) await this.#nameLedger(registry);
    await this.#openEpoch(registry, look, { cause, actor, abandoned: names }, (builder) => {
      for (const mending of first) addMending(builder, mending, lost);
      return abandoned;
    });
    for (const some of rest) {
      const builder = new BatchBuilder(registry, { time: this.#deps.clock.now() });
      for (const mending of some) addMending(builder, mending, lost);
      await this.#append(registry, builder.build());
    }
    await this.#memory.forget();
    await this.#rememberFrom(registry, undefined);
    this.#take(registry);
    this.#standing = { kind: "writing" };
    this.lane.hold(undefined);
    this.#deps.report?.({ event: "ledger.reconciled", verdict: verdict.kind, n: registry.head.n });
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
        const registry = await this.#read(head);
        const opened = await this.#openEpoch(registry, look, { cause: "promotion" });
        if (!opened) return false;
        await this.#rememberFrom(registry, remembered?.n);
        this.#take(registry);
        return true;
      }
      default:
        return this.#mend(look, verdict);
    }
  }

  async #goOn(look: Look): Promise<boolean> {
    const { head, remembered, incarnation } = look;
    const registry = await this.#read(head);
    if (head.n === 0 && !incarnation.inRecovery && !(await this.#nameLedger(registry)))
      return false;
    if (registry.floor.n === 0) {
      // Also after a crash between the two: leaf 1 alone is in epoch 0, and each epoch begins with its opening.
      const opened = await this.#openEpoch(registry, look, { cause: "the first start" });
      if (!opened) return false;
    }
    await this.#mendRows(registry);
    if (registry.head.n > (remembered?.n ?? 0)) {
      await this.#rememberFrom(registry, remembered?.n);
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
    const registry = await this.#read(head);
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
      if (!(await this.#openEpoch(registry, look, { cause: verdict.kind }, mendAll))) return false;
    } else if (mendings.length > 0) {
      const builder = new BatchBuilder(registry, { time: this.#deps.clock.now() });
      mendAll(builder);
      if (!(await this.#append(registry, builder.build()))) return false;
    }
    const { epoch } = registry.head;
    this.#deps.report?.({ event: "ledger.mended", leaves: mendings.length, epoch });
    await this.#rememberFrom(registry, branch);
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

  /** Leaf 1: which ledger this is. @returns false: another server was faster */
  #nameLedger(registry: Registry): Promise<boolean> {
    const { trustDomain } = this.#options;
    const ledgerId = toHex(registry.ledgerHead.ledgerId);
    const object = { kind: "ledger", ledgerId, trustDomain } as const;
    const meta = this.#meta("the first start");
    const builder = new BatchBuilder(registry, { time: this.#deps.clock.now() });
    builder.add({ kind: "ledger", naturalKey: "ledger", object, meta });
    return this.#append(registry, builder.build());
  }

  /**
   * Opens an epoch on top of a registry that holds the store's head, with what `also` adds in the same transaction.
   *
   * @returns false: the head moved
   */
  async #openEpoch(
    registry: Registry,
    look: {
      readonly head: Head;
      readonly incarnation: Incarnation;
      readonly remembered: Position | undefined;
    },
    how: {
      readonly cause: string;
      readonly actor?: Actor;
      readonly abandoned?: readonly Abandoned[];
    },
    also: (builder: BatchBuilder) => readonly StoredLeaf[] = () => [],
  ): Promise<boolean> {
    const { slot = 0 } = this.#options;
    const known = [look.head.epoch, look.remembered?.epoch ?? 0, this.#memory.chosenEpoch];
    const epoch = nextEpoch(Math.max(EPOCH_BEFORE_FIRST, ...known), slot);
    await this.#memory.noteEpoch(epoch);
    const { system, timeline } = look.incarnation;
    const incarnation = { system, timeline };
    const time = this.#deps.clock.now();
    const builder = new BatchBuilder(registry, { time, opens: { epoch, incarnation } });
    const object = {
      kind: "epoch",
      epoch,
      openedAfter: registry.head,
      cause: how.cause,
      incarnation,
      slot,
      abandoned: how.abandoned ?? [],
      missingServers: [],
    } as const;
    const meta = {
      ...this.#meta(how.cause),
      ...(how.actor === undefined ? {} : { actor: how.actor }),
    };
    builder.add({ kind: "epoch", naturalKey: naturalKeyOf(object), object, meta });
    const sideTable = also(builder);
    return this.#append(registry, builder.build(sideTable));
  }

  /** One append on a registry that nobody reads yet; a lost answer is settled by looking. @returns false: it moved */
  async #append(registry: Registry, built: BuiltBatch): Promise<boolean> {
    const { ledger } = this.#deps.store;
    const expected = registry.ledgerHead;
    try {
      if ((await ledger.append(expected, built.batch)) === "moved") return false;
    } catch (error) {
      if (!isBonafideError(error, "STORE_UNKNOWN_OUTCOME")) throw error;
      const [found] = await ledger.leavesAfter(expected.n, 1);
      const [ours] = built.batch.leaves;
      const there = found !== undefined && ours !== undefined;
      if (!there || toHex(found.leaf) !== toHex(ours.leaf)) return false;
    }
    registry.adopt(built.leaves, built.range, built.next);
    return true;
  }

  /** Query tables that differ from the leaves are mended: they say nothing that the leaves do not. */
  async #mendRows(registry: Registry): Promise<void> {
    const { ledger, projections } = this.#deps.store;
    const rows: AppendBatch["rows"] = await rowsToMend(projections, registry);
    const count = rows.put.length + rows.removed.length;
    if (count === 0) return;
    const { epoch, n, root } = registry.head;
    const next = { epoch, n, root };
    try {
      const batch = { leaves: [], nodes: [], next, rows };
      if ((await ledger.append(registry.ledgerHead, batch)) === "moved") return;
    } catch (error) {
      // Lists stay wrong for now, but nothing is decided by them.
      if (!isBonafideError(error) || !error.retry) throw error;
      return;
    }
    this.#deps.report?.({ event: "ledger.rows-mended", rows: count });
  }

  async #read(head: Head): Promise<Registry> {
    const registry = await replay(this.#deps.store.ledger, head);
    const named = registry.find("ledger", "ledger")?.object.trustDomain;
    const { trustDomain } = this.#options;
    if (named === undefined || named === trustDomain) return registry;
    const text = `the database belongs to trust domain ${named}, not ${trustDomain}`;
    throw new BonafideError(MEMORY_ERRORS, "LEDGER_OTHER_TRUST_DOMAIN", text);
  }

  /** Remembers the stored leaves after n, in pages; without n, as many of the newest as one page holds. */
  async #rememberFrom(registry: Registry, n: number | undefined): Promise<void> {
    const { ledger } = this.#deps.store;
    const head = registry.ledgerHead;
    const from = n ?? Math.max(0, head.n - NAMED_LEAVES_MAX);
    const range = { at: from };
    for await (const page of leafPages(ledger, from, head.n)) {
      range.at += page.length;
      // Only the last page's name is a state whose root is known here; the others are told to nobody.
      if (range.at === head.n) await this.#memory.remember(page, head);
      else await this.#memory.rememberLeaves(page);
    }
    if (from === head.n) await this.#memory.remember([], head);
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

  #meta(cause: string): Meta {
    const actor = { via: "start", server: this.#options.serverId };
    return { actor, cause, settles: [], requestId: new Uint8Array(), schema: 1 };
  }
}

function emptyRegistry(head: Head): Registry {
  return new Registry({ ...head, epoch: 0, n: 0, root: EMPTY_ROOT }, new CompactRange());
}

/** Removals, bans and the like among what is lost, which an operator's acceptance leaves in force. */
function keptRemovals(
  lost: readonly Lost[],
  registry: Registry,
  { remembered, head, after }: Look,
): ReturnType<typeof planMending<Lost>> {
  const sameLedger =
    remembered !== undefined && toHex(remembered.ledgerId) === toHex(head.ledgerId);
  const newestOf = (name: string): number | undefined => slotN(registry, name);
  return planMending(lost, head.n, newestOf, settledBy(after)).filter(
    ({ leaf }) => leaf.denies && (sameLedger || leaf.object !== undefined),
  );
}

function slotN(registry: Registry, name: string): number | undefined {
  const key = Uint8Array.from(name.slice(1), (char) => char.charCodeAt(0));
  return registry.slotByKey(name.charCodeAt(0), key)?.n;
}

function chunks<T>(list: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size));
  return parts;
}
