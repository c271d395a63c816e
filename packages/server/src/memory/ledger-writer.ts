import { BonafideError, isBonafideError } from "@bonafide/errors";
import {
  type Abandoned,
  type Actor,
  type Incarnation,
  type Meta,
  NAMED_LEAVES_MAX,
  naturalKeyOf,
  type Position,
  toHex,
} from "@bonafide/ledger";
import type { AppendBatch, Head, StoredLeaf } from "@bonafide/plugin-api";
import { BatchBuilder, type BuiltBatch } from "../lane/batch-builder.ts";
import { leafPages } from "../lane/read-leaves.ts";
import type { Registry } from "../lane/registry.ts";
import { replay } from "../lane/replay.ts";
import { EPOCH_BEFORE_FIRST, nextEpoch } from "./core/epoch-slots.ts";
import { MEMORY_ERRORS } from "./memory-errors.ts";
import type { MemoryFile } from "./memory-file.ts";
import { rowsToMend } from "./mend-rows.ts";
import type { LedgerDeps, LedgerOptions } from "./opened-ledger.ts";

/**
 * What a reconciliation reads and writes before anybody else may: on registries that nobody reads yet, and past the lane.
 * It decides nothing.
 */
export class LedgerWriter {
  readonly #deps: LedgerDeps;
  readonly #options: LedgerOptions;
  readonly #memory: MemoryFile;

  constructor(deps: LedgerDeps, options: LedgerOptions, memory: MemoryFile) {
    this.#deps = deps;
    this.#options = options;
    this.#memory = memory;
  }

  /** Leaf 1: which ledger this is. @returns false: another server was faster */
  nameLedger(registry: Registry): Promise<boolean> {
    const { trustDomain } = this.#options;
    const ledgerId = toHex(registry.ledgerHead.ledgerId);
    const object = { kind: "ledger", ledgerId, trustDomain } as const;
    const meta = this.#meta("the first start");
    const builder = new BatchBuilder(registry, { time: this.#deps.clock.now() });
    builder.add({ kind: "ledger", naturalKey: "ledger", object, meta });
    return this.append(registry, builder.build());
  }

  /**
   * Opens an epoch on top of a registry that holds the store's head, with what `also` adds in the same transaction.
   *
   * @returns false: the head moved
   */
  async openEpoch(
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
    return this.append(registry, builder.build(sideTable));
  }

  /** One append on a registry that nobody reads yet; a lost answer is settled by looking. @returns false: it moved */
  async append(registry: Registry, built: BuiltBatch): Promise<boolean> {
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
  async mendRows(registry: Registry): Promise<void> {
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

  /** The whole ledger as the store has it. @throws LEDGER_OTHER_TRUST_DOMAIN, and what replaying it throws */
  async read(head: Head): Promise<Registry> {
    const registry = await replay(this.#deps.store.ledger, head);
    const named = registry.find("ledger", "ledger")?.object.trustDomain;
    const { trustDomain } = this.#options;
    if (named === undefined || named === trustDomain) return registry;
    const text = `the database belongs to trust domain ${named}, not ${trustDomain}`;
    throw new BonafideError(MEMORY_ERRORS, "LEDGER_OTHER_TRUST_DOMAIN", text);
  }

  /** Remembers the stored leaves after n, in pages; without n, as many of the newest as one page holds. */
  async rememberFrom(registry: Registry, n: number | undefined): Promise<void> {
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

  #meta(cause: string): Meta {
    const actor = { via: "start", server: this.#options.serverId };
    return { actor, cause, settles: [], requestId: new Uint8Array(), schema: 1 };
  }
}
