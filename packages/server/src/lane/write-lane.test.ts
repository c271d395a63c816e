import assert from "node:assert/strict";
import { test } from "node:test";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { decodeLeaf, encodeLeaf, parseWireNumber, sameState } from "@bonafide/ledger";
import { ManualClock } from "@bonafide/lifetime/testing";
import type { Store } from "@bonafide/plugin-api";
import { MemoryDatabase, openMemoryStore } from "@bonafide/plugin-api/testing";
import { LANE_ERRORS } from "./lane-errors.ts";
import type { Decide } from "./registry-view.ts";
import type { AdoptedChange } from "./registry.ts";
import { replay } from "./replay.ts";
import { BY_TEST, sampleEntry, sampleNode } from "./testing/sample-objects.ts";
import { WriteLane, type WriteLaneDeps, type WriteLaneOptions } from "./write-lane.ts";

async function openLane(
  store: Store = openMemoryStore(),
  over: Partial<WriteLaneDeps> & WriteLaneOptions = {},
) {
  const registry = await replay(store.ledger, await store.ledger.head());
  const { queueMax, batchMax, ...deps } = over;
  const lane = new WriteLane(
    {
      ledger: store.ledger,
      registry,
      clock: new ManualClock(1_795_000_000_000),
      remember: () => Promise.resolve(),
      reconnect: (cause) => Promise.reject(cause),
      ...deps,
    },
    { ...(queueMax === undefined ? {} : { queueMax }), ...(batchMax ? { batchMax } : {}) },
  );
  return { store, registry, lane };
}

const refuse = (): never => {
  throw new BonafideError(LANE_ERRORS, "PROPOSAL_INVALID", "refused by the test");
};
const create =
  (id: string): Decide =>
  (state) =>
    state.find("entry", id) === undefined ? [{ put: sampleEntry(id) }] : refuse();
const remove =
  (id: string): Decide =>
  (state) =>
    state.find("entry", id) === undefined
      ? refuse()
      : [{ remove: { kind: "entry", naturalKey: id } }];
const codeOf = (error: unknown): string => (isBonafideError(error) ? error.code : String(error));

test("one bad proposal is refused alone, in order, inside one batch", async () => {
  const { store, lane, registry } = await openLane();
  const wanted = [create("a"), create("a"), remove("b"), create("b"), remove("b"), create("b")];
  const outcomes = await Promise.allSettled(wanted.map((decide) => lane.submit(decide, BY_TEST)));
  assert.deepEqual(
    outcomes.map((o) => (o.status === "fulfilled" ? "ok" : codeOf(o.reason))),
    ["ok", "PROPOSAL_INVALID", "PROPOSAL_INVALID", "ok", "ok", "ok"],
  );
  assert.equal(lane.stats.batches, 1);
  assert.equal(registry.count("entry"), 2);
  assert.equal(await store.entries.count({}), 2);
  const leaves = (await store.ledger.leavesAfter(0, 10)).map(({ leaf }) => decodeLeaf(leaf));
  assert.deepEqual(
    leaves.map(({ prev }) => prev),
    [0, 0, 2, 3],
  );
});

test("all changes of one proposal are written or none, and each gets its number", async () => {
  const { lane, registry } = await openLane();
  const node = sampleNode("n1");
  const { changes, state } = await lane.submit(
    () => [{ put: node }, { put: sampleEntry("a") }],
    BY_TEST,
  );
  assert.deepEqual(
    changes.map(({ number }) => parseWireNumber(number)),
    [
      { epoch: 0, n: 1 },
      { epoch: 0, n: 2 },
    ],
  );
  assert.equal(state.n, 2);
  await assert.rejects(
    lane.submit(
      () => [{ put: sampleEntry("b") }, { remove: { kind: "entry", naturalKey: "c" } }],
      BY_TEST,
    ),
    (error) => isBonafideError(error, "PROPOSAL_INVALID"),
  );
  assert.equal(registry.find("entry", "b"), undefined);
  assert.equal(registry.head.n, 2);
});

test("an object that its message cannot hold is refused alone", async () => {
  const { lane, registry } = await openLane();
  const outcomes = await Promise.allSettled([
    lane.submit(() => [{ put: sampleEntry("a", { x509SvidTtlSeconds: 2 ** 40 }) }], BY_TEST),
    lane.submit(create("b"), BY_TEST),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["rejected", "fulfilled"],
  );
  assert.equal(registry.head.n, 1);
});

test("a proposal sees the accepted ones before it, by every index", async () => {
  const { lane, registry } = await openLane();
  const { parentId } = sampleEntry("a");
  await lane.submit(create("a"), BY_TEST);
  const seen: unknown[] = [];
  await Promise.all([
    lane.submit(() => [{ put: sampleEntry("b") }], BY_TEST),
    lane.submit(() => [{ remove: { kind: "entry", naturalKey: "a" } }], BY_TEST),
    lane.submit((state) => {
      seen.push(
        [...state.entriesByParent(parentId)].map((known) => known.object.id),
        [...state.entriesBySpiffeId(sampleEntry("a").spiffeId)].length,
        state.entryLike(sampleEntry("b"))?.object.id,
        state.entryLike(sampleEntry("a"))?.object.id,
        state.count("entry"),
        parseWireNumber(state.kindNumber("entry")).n,
        state.head.n,
      );
      return [];
    }, BY_TEST),
  ]);
  assert.deepEqual(seen, [["b"], 1 - 1, "b", undefined, 1, 3, 1]);
  assert.deepEqual([...registry.all("entry")].length, 1);
});

test("readers see a batch whole and only when it is committed and remembered", async () => {
  const order: string[] = [];
  const { lane, registry } = await openLane(openMemoryStore(), {
    remember: async (leaves, head) => {
      await Promise.resolve();
      order.push(`remember ${leaves.length} to ${head.n}, readers at ${registry.head.n}`);
    },
  });
  await Promise.all([lane.submit(create("a"), BY_TEST), lane.submit(create("b"), BY_TEST)]);
  assert.deepEqual(order, ["remember 2 to 2, readers at 0"]);
  assert.equal(registry.head.n, 2);
});

test("a change that arrives as the lane falls idle is not forgotten", async () => {
  const { lane, registry } = await openLane();
  for (let i = 0; i < 50; i += 1) {
    await lane.submit(create(`direct-${i}`), BY_TEST);
    await lane
      .submit(create(`then-${i}`), BY_TEST)
      .then(() => lane.submit(create(`after-${i}`), BY_TEST))
      .finally(() => undefined);
    await Promise.all([lane.submit(create(`both-${i}`), BY_TEST), lane.catchUp()]);
  }
  assert.equal(registry.count("entry"), 200);
});

test("a full queue refuses with STORE_BUSY and says when to come back", async () => {
  const { lane } = await openLane(openMemoryStore(), { queueMax: 2 });
  const accepted = [lane.submit(create("a"), BY_TEST), lane.submit(create("b"), BY_TEST)];
  await assert.rejects(lane.submit(create("c"), BY_TEST), (error) => {
    assert.ok(isBonafideError(error, "STORE_BUSY"));
    return error.retry && (error.retryAfterMs ?? 0) > 0;
  });
  await Promise.all(accepted);
});

test("three servers on one database: no gap, no lost or doubled change, rows = replay", async () => {
  const database = new MemoryDatabase();
  const lanes = await Promise.all(
    [0, 1, 2].map(() => openLane(openMemoryStore(database), { batchMax: 16 })),
  );
  const outcomes = await Promise.allSettled(
    lanes.flatMap(({ lane }, l) =>
      Array.from({ length: 100 }, (_, i) =>
        lane.submit(create(i % 4 === 0 ? `shared-${i}` : `own-${l}-${i}`), BY_TEST),
      ),
    ),
  );
  const numbers = outcomes.flatMap((o) =>
    o.status === "fulfilled" ? o.value.changes.map(({ number }) => number) : [],
  );
  assert.equal(numbers.length, 75 * 3 + 25);
  assert.equal(new Set(numbers).size, numbers.length);
  assert.ok(lanes.some(({ lane }) => lane.stats.moved > 0));
  await Promise.all(lanes.map(({ lane }) => lane.catchUp()));
  const whole = await replay(lanes[0]!.store.ledger, await lanes[0]!.store.ledger.head());
  assert.equal(whole.head.n, 250);
  for (const { registry, store } of lanes) {
    assert.ok(sameState(registry.head, whole.head));
    assert.equal(registry.count("entry"), 250);
    assert.equal(await store.entries.count({}), 250);
  }
});

test("a proposal is judged again when another server was faster", async () => {
  const database = new MemoryDatabase();
  const store = openMemoryStore(database);
  const mine = await openLane(store);
  const other = await openLane(openMemoryStore(database));
  store.beforeNextAppend(async () => {
    await other.lane.submit(create("a"), BY_TEST);
  });
  let runs = 0;
  const decide: Decide = (state) => {
    runs += 1;
    return create("a")(state);
  };
  await assert.rejects(mine.lane.submit(decide, BY_TEST));
  assert.equal(runs, 2);
  assert.equal(mine.registry.head.n, 1);
});

test("an append whose answer was lost is counted once, whether it was written or not", async () => {
  const store = openMemoryStore();
  const { lane, registry } = await openLane(store);
  store.failNext("STORE_UNKNOWN_OUTCOME", "append");
  await Promise.all([lane.submit(create("a"), BY_TEST), lane.submit(create("b"), BY_TEST)]);
  assert.equal(registry.head.n, 2);
  store.loseNextCommit();
  await assert.rejects(lane.submit(create("c"), BY_TEST), (error) =>
    isBonafideError(error, "STORE_UNKNOWN_OUTCOME"),
  );
  await lane.submit(create("c"), BY_TEST);
  assert.equal(await store.entries.count({}), 3);
  assert.equal((await store.ledger.head()).n, 3);
});

for (const code of ["STORE_READ_ONLY", "STORE_FULL", "STORE_UNAVAILABLE"] as const) {
  test(`${code} goes to the callers, readers go on, and the next change is written`, async () => {
    const store = openMemoryStore();
    const { lane, registry } = await openLane(store);
    await lane.submit(create("a"), BY_TEST);
    store.failNext(code, "append");
    await assert.rejects(lane.submit(create("b"), BY_TEST), (error) =>
      isBonafideError(error, code),
    );
    assert.ok(registry.find("entry", "a"));
    await lane.submit(create("b"), BY_TEST);
    assert.equal(registry.head.n, 2);
  });
}

test("what cannot be remembered is not told, and is adopted with the next batch", async () => {
  let broken = true;
  const { lane, registry } = await openLane(openMemoryStore(), {
    remember: () => (broken ? Promise.reject(new Error("disk full")) : Promise.resolve()),
  });
  await assert.rejects(lane.submit(create("a"), BY_TEST), /disk full/);
  assert.equal(registry.head.n, 0);
  broken = false;
  await assert.rejects(lane.submit(create("a"), BY_TEST), (e) => isBonafideError(e));
  assert.ok(registry.find("entry", "a"), "the first one was there all the time");
});

test("LEDGER_TOO_NEW: a reader adopts nothing more, serves on, and says what it needs", async () => {
  const database = new MemoryDatabase();
  const mine = await openLane(openMemoryStore(database));
  const other = await openLane(openMemoryStore(database));
  await mine.lane.submit(create("a"), BY_TEST);
  await other.lane.submit(create("b"), BY_TEST);
  database.editLeaf(2, (stored) => ({
    ...stored,
    leaf: encodeLeaf({ ...decodeLeaf(stored.leaf), needs: 2 }),
  }));
  await assert.rejects(mine.lane.catchUp(), (error) => {
    assert.ok(isBonafideError(error, "LEDGER_TOO_NEW"));
    assert.deepEqual(error.details, { kind: "3", needs: "2", n: "2" });
    return true;
  });
  assert.ok(mine.registry.find("entry", "a"));
  assert.equal(mine.registry.head.n, 1);
});

test("a held lane refuses with the message for the operator, and writes after the release", async () => {
  const { lane } = await openLane();
  lane.hold("run this");
  await assert.rejects(lane.submit(create("a"), BY_TEST), (e) => isBonafideError(e, "LEDGER_HELD"));
  lane.hold(undefined);
  await lane.submit(create("a"), BY_TEST);
});

test("close waits for the batch under way and refuses what comes later", async () => {
  const { lane, registry } = await openLane();
  const last = lane.submit(create("a"), BY_TEST);
  await Promise.resolve();
  await Promise.all([lane.close(), last]);
  assert.equal(registry.head.n, 1);
  await assert.rejects(lane.submit(create("b"), BY_TEST), (e) => isBonafideError(e, "LANE_CLOSED"));
  await lane.close();
});

test("listeners hear each change once, after the batch, with before and after", async () => {
  const { lane, registry } = await openLane();
  const heard: AdoptedChange[] = [];
  const stop = registry.onAdopted((changes) => heard.push(...changes));
  await lane.submit(create("a"), BY_TEST);
  await lane.submit(remove("a"), BY_TEST);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  assert.deepEqual(
    heard.map((c) => [c.kind, c.naturalKey, c.before !== undefined, c.after !== undefined, c.n]),
    [
      ["entry", "a", false, true, 1],
      ["entry", "a", true, false, 2],
    ],
  );
  stop();
  await lane.submit(create("b"), BY_TEST);
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  assert.equal(heard.length, 2);
});

const many: Decide = () =>
  Array.from({ length: 200 }, (_, i) => ({ put: sampleEntry(`many-${i}`) }));

test("300 changes submitted at once need two batches; a large proposal is not split", async () => {
  const { lane, registry } = await openLane();
  await Promise.all([
    ...Array.from({ length: 100 }, (_, i) => lane.submit(create(`one-${i}`), BY_TEST)),
    lane.submit(many, BY_TEST),
  ]);
  assert.equal(lane.stats.batches, 2);
  assert.equal(registry.head.n, 300);
});
