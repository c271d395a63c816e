import { BonafideError } from "@bonafide/errors";
import { type Actor, EMPTY_ROOT, leafHash, NAMED_LEAVES_MAX, toHex } from "@bonafide/ledger";
import type { Clock } from "@bonafide/lifetime";
import type { Store } from "@bonafide/plugin-api";
import { BatchBuilder } from "../lane/batch-builder.ts";
import { LANE_ERRORS } from "../lane/lane-errors.ts";
import { leafPages } from "../lane/read-leaves.ts";
import type { Registry } from "../lane/registry.ts";
import { planMending } from "./core/plan-mending.ts";
import type { LedgerWriter } from "./ledger-writer.ts";
import type { Look } from "./look.ts";
import { addMending, type Lost, readLost, settledBy, slotN } from "./lost-leaves.ts";
import type { MemoryFile } from "./memory-file.ts";

/** What {@link acceptStore} works with. */
export interface AcceptDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly memory: MemoryFile;
  readonly writer: LedgerWriter;
}

/**
 * Takes a store that forgot something as the truth: opens an epoch that names what is abandoned, puts removals back
 * unless they are dropped too, and remembers the store from here on.
 *
 * @returns The registry of what is then there.
 * @throws STORE_BUSY  another server wrote meanwhile: nothing is forgotten here, and the answer can be given again
 */
export async function acceptStore(
  { store, clock, memory, writer }: AcceptDeps,
  look: Look,
  { actor, dropRemovals }: { readonly actor: Actor; readonly dropRemovals: boolean },
): Promise<Registry> {
  const { remembered, head } = look;
  const stored = new Set<string>();
  for await (const page of leafPages(store.ledger, 0, head.n)) {
    for (const { leaf } of page) stored.add(toHex(leafHash(leaf)));
  }
  const gone = (remembered?.leavesAfter(0) ?? []).filter(
    ({ leaf }) => !stored.has(toHex(leafHash(leaf))),
  );
  const registry = await writer.read(head);
  const lost = readLost(gone, registry);
  const kept = dropRemovals ? [] : keptRemovals(lost, registry, look);
  const settles = new Set(kept.flatMap((mending) => mending.settles));
  const abandoned = gone.filter(({ leaf }) => !settles.has(toHex(leafHash(leaf))));
  const place = remembered ?? { epoch: 0, n: 0, root: EMPTY_ROOT };
  const newest = { epoch: place.epoch, n: place.n, root: remembered?.name.root ?? EMPTY_ROOT };
  const names = chunks(abandoned, NAMED_LEAVES_MAX).map((some) => ({
    newest,
    leafHashes: some.map(({ leaf }) => leafHash(leaf)),
  }));
  const cause = dropRemovals ? "accept-rewind --drop-removals" : "accept-rewind";
  const [first = [], ...rest] = chunks(kept, NAMED_LEAVES_MAX);
  if (head.n === 0) assertFirst(await writer.nameLedger(registry));
  const how = { cause, actor, abandoned: names };
  const opened = await writer.openEpoch(registry, look, how, (builder) => {
    for (const mending of first) addMending(builder, mending, lost);
    return abandoned;
  });
  assertFirst(opened);
  for (const some of rest) {
    const builder = new BatchBuilder(registry, { time: clock.now() });
    for (const mending of some) addMending(builder, mending, lost);
    assertFirst(await writer.append(registry, builder.build()));
  }
  await memory.forget();
  await writer.rememberFrom(registry, undefined);
  return registry;
}

function assertFirst(wasFirst: boolean): void {
  if (wasFirst) return;
  throw new BonafideError(LANE_ERRORS, "STORE_BUSY", "another server wrote at the same time");
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

function chunks<T>(list: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size));
  return parts;
}
