import assert from "node:assert/strict";
import { test } from "node:test";
import { type ProjectionRow, verifyLedger } from "@bonafide/ledger";
import { ManualClock } from "@bonafide/lifetime/testing";
import type { Store, StoredLeaf } from "@bonafide/plugin-api";
import { openMemoryStore } from "@bonafide/plugin-api/testing";
import * as fc from "fast-check";
import { replay } from "./replay.ts";
import { rowsAt } from "./rows-at.ts";
import { BY_TEST, sampleEntry } from "./testing/sample-objects.ts";
import { WriteLane } from "./write-lane.ts";

/** What is done to an entry: written (anew), or removed if it is there. */
interface Step {
  readonly id: string;
  readonly remove: boolean;
}

async function openWritable(): Promise<{
  readonly store: Store;
  readonly write: (steps: readonly Step[]) => Promise<void>;
}> {
  const store = openMemoryStore();
  const registry = await replay(store.ledger, await store.ledger.head());
  const lane = new WriteLane({
    ledger: store.ledger,
    registry,
    clock: new ManualClock(1_795_000_000_000),
    remember: () => Promise.resolve(),
    reconnect: (cause) => Promise.reject(cause),
  });
  let revision = 0;
  const write = async (steps: readonly Step[]): Promise<void> => {
    for (const { id, remove } of steps) {
      await lane.submit((state) => {
        if (!remove) return [{ put: sampleEntry(id, { hint: `h${++revision}` }) }];
        const isThere = state.find("entry", id) !== undefined;
        return isThere ? [{ remove: { kind: "entry", naturalKey: id } }] : [];
      }, BY_TEST);
    }
  };
  return { store, write };
}

/** The store, in which somebody writes before and after each page of rows is read. */
function writtenMeanwhile(store: Store, turn: () => Promise<void>): Store {
  return {
    ...store,
    projections: {
      async rowsAfter(after, limit) {
        await turn();
        const page = await store.projections.rowsAfter(after, limit);
        await turn();
        return page;
      },
    },
  };
}

function byNumber(rows: readonly ProjectionRow[]): readonly ProjectionRow[] {
  return rows.toSorted((a, b) => a.n - b.n);
}

async function* each<T>(list: readonly T[]): AsyncGenerator<T, void, void> {
  for (const item of list) yield await Promise.resolve(item);
}

async function leavesTo(store: Store, n: number): Promise<StoredLeaf[]> {
  return n === 0 ? [] : store.ledger.leavesAfter(0, n);
}

const steps = fc.array(
  fc.record({ id: fc.constantFrom("a", "b", "c", "d", "e", "f", "g"), remove: fc.boolean() }),
  { maxLength: 12 },
);

test("rows are those of the state that was asked for, whatever is written between two pages", async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.array(steps, { maxLength: 12 }),
      fc.integer({ min: 1, max: 3 }),
      async (before, meanwhile, pageRows) => {
        const { store, write } = await openWritable();
        await write(before);
        const head = await store.ledger.head();
        const expected = await store.projections.rowsAfter(undefined, 100);
        const turns = [...meanwhile];
        const busy = writtenMeanwhile(store, () => write(turns.shift() ?? []));
        const rows: ProjectionRow[] = [];
        for await (const row of rowsAt(busy, head, { pageRows })) rows.push(row);
        assert.deepEqual(byNumber(rows), byNumber(expected));
        const leaves = await leavesTo(store, head.n);
        // The lane alone names no ledger, so leaf 1 is misplaced; nothing else may be found.
        const { faults } = await verifyLedger({ head, leaves: each(leaves), rows: each(rows) });
        assert.deepEqual(
          faults.filter(({ code }) => code.startsWith("row.")),
          [],
        );
      },
    ),
    { numRuns: 200 },
  );
});
