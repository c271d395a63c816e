import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import {
  decodeBody,
  decodeLeaf,
  decodeMeta,
  decodeObject,
  KINDS,
  leafHash,
  parseWireNumber,
  partBytes,
} from "@bonafide/ledger";
import { ManualClock } from "@bonafide/lifetime/testing";
import type { LedgerStore } from "@bonafide/plugin-api";
import { MemoryDatabase, openMemoryStore } from "@bonafide/plugin-api/testing";
import type { Decide } from "../lane/registry-view.ts";
import { BY_TEST, sampleEntry, sampleNode } from "../lane/testing/sample-objects.ts";
import { openLedger } from "./open-ledger.ts";
import type { OpenedLedger } from "./opened-ledger.ts";
import { type LedgerBench, withAppend, withBench } from "./testing/ledger-bench.ts";

const put =
  (id: string, hint = ""): Decide =>
  () => [{ put: sampleEntry(id, { hint }) }];
const remove =
  (id: string): Decide =>
  () => [{ remove: { kind: "entry", naturalKey: id } }];
const ids = (ledger: OpenedLedger): string =>
  [...ledger.registry.all("entry")]
    .map(({ object }) => object.id)
    .toSorted()
    .join("");
const headers = (bench: LedgerBench) =>
  bench.database.state.leaves.map((stored) => ({ stored, ...decodeLeaf(stored.leaf) }));

test("the first start names the ledger, opens epoch 16 and says which server this is", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    const leaves = headers(bench);
    assert.deepEqual(
      leaves.map(({ kind, epoch, n }) => [kind, epoch, n]),
      [
        [KINDS.ledger, 0, 1],
        [KINDS.epoch, 16, 2],
        [KINDS.server, 16, 3],
      ],
    );
    assert.equal(ledger.registry.find("ledger", "ledger")?.object.trustDomain, "example.org");
    assert.deepEqual(ledger.registry.floor, { epoch: 16, n: 2 });
    await ledger.lane.submit(put("a"), BY_TEST);
    assert.deepEqual(
      parseWireNumber(ledger.registry.numberOf(ledger.registry.find("entry", "a")!)),
      { epoch: 16, n: 4 },
    );
    assert.deepEqual(ledger.standing, { kind: "writing" });
  }));

test("a restart goes on in the same epoch and writes nothing", () =>
  withBench(async (bench) => {
    const first = await bench.open();
    await first.lane.submit(put("a"), BY_TEST);
    await first.close();
    const again = await bench.open();
    assert.equal(again.registry.head.n, 4);
    assert.equal(again.registry.head.epoch, 16);
    assert.equal(ids(again), "a");
  }));

test("a first start that crashed after leaf 1 is finished by the next", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    await ledger.close();
    rmSync(join(bench.folder, "server-1"), { recursive: true });
    const { state } = bench.database;
    const [first] = state.leaves;
    const root = leafHash(first!.leaf);
    const head = { ...state.head, n: 1, epoch: 0, root };
    bench.database.restore({ ...state, head, leaves: [first!], rows: new Map() });
    const again = await bench.open();
    assert.equal(headers(bench)[1]?.kind, KINDS.epoch);
    assert.equal(again.registry.floor.n, 2);
  }));

test("a database that lost its newest leaves gets them back, in a new epoch, as one transaction", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    await ledger.lane.submit(put("a"), BY_TEST);
    await ledger.lane.submit(put("b"), BY_TEST);
    const backup = bench.database.backup();
    await ledger.lane.submit(remove("a"), BY_TEST);
    await ledger.lane.submit(put("c"), BY_TEST);
    await ledger.lane.submit(put("b", "new"), BY_TEST);
    const before = ledger.registry.numberOf(ledger.registry.find("entry", "b")!);
    await ledger.close();
    bench.database.restore(backup);
    const again = await bench.open();
    assert.equal(ids(again), "bc");
    assert.equal(again.registry.find("entry", "b")?.object.hint, "new");
    assert.equal(again.registry.head.epoch, 32);
    assert.ok(again.registry.numberOf(again.registry.find("entry", "b")!) > before);
    const returned = headers(bench).filter(({ reappended }) => reappended);
    assert.equal(returned.length, 3);
    for (const { stored } of returned) {
      const meta = decodeMeta(partBytes(decodeBody(stored.body).meta)!);
      assert.equal(meta.settles.length, 1);
      assert.deepEqual(meta.actor, BY_TEST.actor);
    }
    assert.equal(await openMemoryStore(bench.database).entries.count({}), 2);
    assert.deepEqual(again.standing, { kind: "writing" });
    assert.ok(bench.events.some((e) => e.event === "ledger.mended" && e.leaves === 3));
    await again.close();
    const third = await bench.open();
    assert.equal(third.registry.head.epoch, 32, "and that is settled for good");
  }));

test("a database swapped under a running server is mended at the next batch", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    const backup = bench.database.backup();
    await ledger.lane.submit(put("a"), BY_TEST);
    bench.database.restore(backup);
    await ledger.lane.submit(put("b"), BY_TEST);
    assert.equal(ids(ledger), "ab");
    assert.equal(ledger.registry.head.epoch, 32);
    assert.equal(await openMemoryStore(bench.database).entries.count({}), 2);
  }));

test("an edited leaf is noticed at the next batch: the server serves on and writes nothing", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    await ledger.lane.submit(put("a"), BY_TEST);
    await ledger.lane.submit(put("b"), BY_TEST);
    bench.database.editLeaf(4, (stored) => MemoryDatabase.retime(stored));
    for (let tries = 0; tries < 2; tries += 1) {
      await assert.rejects(ledger.lane.submit(put("c"), BY_TEST), (e) =>
        isBonafideError(e, "LEDGER_HELD"),
      );
    }
    assert.equal(ledger.standing.kind, "held");
    assert.equal(ids(ledger), "ab");
    await ledger.close();
    await assert.rejects(bench.open(), (error) => isBonafideError(error, "LEDGER_FORKED"));
  }));

test("an edited body is noticed at the next start", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    await ledger.lane.submit(put("a"), BY_TEST);
    await ledger.close();
    bench.database.editLeaf(4, ({ leaf, body }) => {
      const edited = body.slice();
      edited[edited.length - 1]! ^= 1;
      return { leaf, body: edited };
    });
    await assert.rejects(bench.open(), (error) => isBonafideError(error, "LEDGER_FORKED"));
  }));

test("edited and deleted rows are mended from the leaves at the next start", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    await ledger.lane.submit(() => [{ put: sampleEntry("a") }, { put: sampleEntry("b") }], BY_TEST);
    await ledger.close();
    const rows = [...bench.database.state.rows.values()].filter((row) => row.kindNumber === 3);
    bench.database.editRow(3, rows[0]!.key, (row) => ({
      ...row,
      columns: { ...row.columns, ...(row.columns.kind === "entry" ? { hint: "edited" } : {}) },
    }));
    bench.database.editRow(3, rows[1]!.key, () => undefined);
    await bench.open();
    assert.deepEqual(
      bench.events.filter(({ event }) => event === "ledger.rows-mended"),
      [{ event: "ledger.rows-mended", rows: 2 }],
    );
    const store = openMemoryStore(bench.database);
    assert.equal(await store.entries.count({ hint: "" }), 2);
  }));

test("a promotion opens an epoch before anything is written", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    await ledger.lane.submit(put("a"), BY_TEST);
    bench.database.promote();
    await ledger.lane.submit(put("b"), BY_TEST);
    assert.equal(ledger.registry.head.epoch, 32);
    assert.deepEqual(
      headers(bench)
        .slice(-2)
        .map(({ kind, epoch }) => [kind, epoch]),
      [
        [KINDS.epoch, 32],
        [KINDS.entry, 32],
      ],
    );
  }));

test("two servers: what only one remembers comes back when it is late, and a denial wins", () =>
  withBench(async (bench) => {
    const one = await bench.open("one", 0);
    const two = await bench.open("two", 1);
    await two.lane.submit(put("a"), BY_TEST);
    await two.lane.submit(put("b"), BY_TEST);
    await one.lane.submit(put("z"), BY_TEST);
    const standby = bench.database.backup();
    await two.lane.submit(remove("a"), BY_TEST);
    await two.lane.submit(put("b", "lost"), BY_TEST);
    await two.lane.submit(put("c"), BY_TEST);
    bench.database.promote(standby);
    // One goes first and knows nothing of what two wrote last.
    await one.lane.submit(put("a", "again"), BY_TEST);
    await one.lane.submit(put("b", "newer"), BY_TEST);
    assert.equal(one.registry.head.epoch, 32);
    await two.lane.submit(put("d"), BY_TEST);
    assert.equal(ids(two), "bcdz", "the removal of a wins, c comes back");
    assert.equal(two.registry.find("entry", "b")?.object.hint, "newer");
    await one.lane.submit(put("e"), BY_TEST);
    assert.equal(ids(one), "bcdez");
    assert.equal(headers(bench).filter(({ reappended }) => reappended).length, 2);
  }));

test("another database that lacks what is remembered is held, served from memory, and accepted", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    await ledger.lane.submit(put("a"), BY_TEST);
    await ledger.lane.submit(put("b"), BY_TEST);
    const backup = bench.database.backup();
    await ledger.lane.submit(remove("a"), BY_TEST);
    await ledger.lane.submit(put("c"), BY_TEST);
    await ledger.close();
    bench.database.restoreElsewhere(backup);
    const held = await bench.open();
    assert.equal(held.standing.kind, "held");
    assert.ok(held.standing.kind === "held" && /accept-rewind/.test(held.standing.message));
    assert.equal(ids(held), "bc", "what it knows removed stays removed");
    await assert.rejects(held.lane.submit(put("d"), BY_TEST), (e) =>
      isBonafideError(e, "LEDGER_HELD"),
    );
    await held.acceptRewind({ via: "test", uid: 7 });
    assert.deepEqual(held.standing, { kind: "writing" });
    assert.equal(ids(held), "b", "the removal is put back, the new entry is given up");
    await held.lane.submit(put("d"), BY_TEST);
    const epoch = headers(bench).findLast(({ kind }) => kind === KINDS.epoch)!;
    const body = decodeBody(epoch.stored.body);
    const opened = decodeObject("epoch", partBytes(body.object)!, epoch);
    assert.ok(opened.kind === "epoch" && opened.abandoned[0]?.leafHashes.length === 1);
    assert.deepEqual(decodeMeta(partBytes(body.meta)!).actor, { via: "test", uid: 7 });
    assert.equal(bench.database.state.abandoned.length, 1);
    await held.close();
    const again = await bench.open();
    assert.deepEqual(again.standing, { kind: "writing" });
    assert.equal(ids(again), "bd");
    await assert.rejects(again.acceptRewind({ via: "test", uid: 7 }), (e) =>
      isBonafideError(e, "LEDGER_NOT_HELD"),
    );
  }));

test("accepting with dropRemovals gives up the removals too", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    await ledger.lane.submit(put("a"), BY_TEST);
    const backup = bench.database.backup();
    await ledger.lane.submit(remove("a"), BY_TEST);
    await ledger.close();
    bench.database.restoreElsewhere(backup);
    const held = await bench.open();
    await held.acceptRewind({ via: "test", uid: 0 }, { dropRemovals: true });
    assert.equal(ids(held), "a");
  }));

test("accepting while another server writes is refused and forgets nothing: it can be said again", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    const backup = bench.database.backup();
    await ledger.lane.submit(put("a"), BY_TEST);
    await ledger.close();
    bench.database.restoreElsewhere(backup);
    const store = openMemoryStore(bench.database);
    let isFaster = false;
    const append: LedgerStore["append"] = async (expected, batch) =>
      isFaster ? "moved" : store.ledger.append(expected, batch);
    const busy = withAppend(store, append);
    const held = await bench.open("server-1", 0, bench.database, busy);
    assert.equal(held.standing.kind, "held");
    isFaster = true;
    await assert.rejects(held.acceptRewind({ via: "test", uid: 0 }), { code: "STORE_BUSY" });
    assert.equal(held.standing.kind, "held");
    isFaster = false;
    await held.acceptRewind({ via: "test", uid: 0 });
    assert.equal(held.standing.kind, "writing");
    assert.equal(ids(held), "");
    assert.equal(bench.database.state.abandoned.length, 1);
  }));

test("an empty database in place of a known one is held; accepting begins anew above every number", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    const banned = sampleNode("n1", { state: "banned" });
    await ledger.lane.submit(() => [{ put: sampleEntry("a") }, { put: banned }], BY_TEST);
    const told = ledger.registry.kindNumber("node");
    await ledger.close();
    const empty = new MemoryDatabase();
    const held = await bench.open("server-1", 0, empty);
    assert.equal(held.standing.kind, "held");
    assert.equal(ids(held), "a");
    await held.acceptRewind({ via: "test", uid: 0 });
    assert.equal(ids(held), "");
    assert.equal(held.registry.find("node", banned.spiffeId)?.object.state, "banned");
    assert.ok(held.registry.kindNumber("node") > told);
  }));

test("a restored ban hits the node that attested again meanwhile", () =>
  withBench(async (bench) => {
    const one = await bench.open("one", 0);
    const two = await bench.open("two", 1);
    await one.lane.submit(() => [{ put: sampleNode("n1") }], BY_TEST);
    await two.lane.submit(put("x"), BY_TEST);
    const standby = bench.database.backup();
    await two.lane.submit(() => [{ put: sampleNode("n1", { state: "banned" }) }], BY_TEST);
    bench.database.promote(standby);
    await one.lane.submit(() => [{ put: sampleNode("n1", { canReattest: true }) }], BY_TEST);
    await two.lane.submit(put("y"), BY_TEST);
    assert.equal(two.registry.find("node", sampleNode("n1").spiffeId)?.object.state, "banned");
  }));

test("a stale replica and a deposed primary are not used", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    await ledger.lane.submit(put("a"), BY_TEST);
    const old = bench.database.backup();
    bench.database.promote();
    await ledger.lane.submit(put("b"), BY_TEST);
    await ledger.close();
    const { incarnation } = bench.database;
    bench.database.restore(old);
    bench.database.incarnation = { ...incarnation, timeline: incarnation.timeline - 1 };
    await assert.rejects(bench.open(), (e) => isBonafideError(e, "LEDGER_NOT_USED"));
    bench.database.inRecovery = true;
    await assert.rejects(bench.open(), (e) => isBonafideError(e, "LEDGER_NOT_USED"));
  }));

test("another trust domain's database is refused", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    await ledger.close();
    await assert.rejects(
      openLedger(
        { store: openMemoryStore(bench.database), clock: new ManualClock() },
        {
          trustDomain: "other.org",
          serverId: "x",
          memoryDir: join(bench.folder, "x"),
          version: "0.1",
        },
      ),
      (e) => isBonafideError(e, "LEDGER_OTHER_TRUST_DOMAIN"),
    );
  }));

test("an opening whose answer was lost is not repeated", () =>
  withBench(async (bench) => {
    const ledger = await bench.open();
    const backup = bench.database.backup();
    await ledger.lane.submit(put("a"), BY_TEST);
    await ledger.close();
    bench.database.restore(backup);
    const store = openMemoryStore(bench.database);
    store.failNext("STORE_UNKNOWN_OUTCOME", "append");
    const again = await openLedger(
      { store, clock: new ManualClock() },
      {
        trustDomain: "example.org",
        serverId: "server-1",
        memoryDir: join(bench.folder, "server-1"),
        version: "0.1",
      },
    );
    bench.opened.push(again);
    assert.equal(ids(again), "a");
    assert.equal(headers(bench).filter(({ kind }) => kind === KINDS.epoch).length, 2);
  }));
