import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { systemClock } from "@bonafide/lifetime";
import type { Store } from "@bonafide/plugin-api";
import { type LedgerEvent, openLedger, type OpenedLedger, verifyStore } from "@bonafide/server";
import { openSqliteStore } from "@bonafide/store-sqlite";

const BY = { actor: { via: "test", uid: 0 }, cause: "test" } as const;

/** One server on one real file. */
class Site {
  readonly dir = mkdtempSync("/tmp/bf-files-");
  readonly path = join(this.dir, "ledger.db");
  readonly events: LedgerEvent[] = [];
  #store: Store | undefined;
  #ledger: OpenedLedger | undefined;

  get store(): Store {
    assert.ok(this.#store !== undefined);
    return this.#store;
  }

  async start(): Promise<OpenedLedger> {
    this.#store = await openSqliteStore({ path: this.path });
    this.#ledger = await openLedger(
      { store: this.#store, clock: systemClock, report: (event) => this.events.push(event) },
      {
        trustDomain: "example.org",
        serverId: "s1",
        memoryDir: join(this.dir, "memory"),
        version: "0.1",
      },
    );
    return this.#ledger;
  }

  async stop(): Promise<void> {
    await this.#ledger?.close();
    await this.#store?.close();
    this.#ledger = undefined;
    this.#store = undefined;
  }

  /** A copy of the file as it is, as a backup would make it. */
  copy(): string {
    const to = `${this.path}.copy`;
    rmSync(to, { force: true });
    const db = new DatabaseSync(this.path);
    db.exec(`VACUUM INTO '${to}'`);
    db.close();
    return to;
  }

  edit(sql: string): void {
    const db = new DatabaseSync(this.path);
    db.exec(sql);
    db.close();
  }
}

async function withSite(run: (site: Site) => Promise<void>): Promise<void> {
  const site = new Site();
  try {
    await run(site);
  } finally {
    await site.stop();
    rmSync(site.dir, { recursive: true });
  }
}

const put = (ledger: OpenedLedger, name: string, value = "v") =>
  ledger.lane.submit(() => [{ put: { kind: "setting", name, value } }], BY);
const remove = (ledger: OpenedLedger, naturalKey: string) =>
  ledger.lane.submit(() => [{ remove: { kind: "setting", naturalKey } }], BY);
const names = (ledger: OpenedLedger): string =>
  [...ledger.registry.all("setting")]
    .map(({ object }) => object.name)
    .toSorted()
    .join("");
const clean = async (store: Store): Promise<void> => {
  assert.deepEqual((await verifyStore(store)).faults, []);
};

test("a file replaced by an older copy while the server was down is mended at the next start", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    await put(ledger, "a");
    const copy = site.copy();
    await put(ledger, "b");
    await remove(ledger, "a");
    await site.stop();
    renameSync(copy, site.path);
    const again = await site.start();
    assert.equal(names(again), "b");
    assert.equal(again.registry.head.epoch, 32);
    await put(again, "c");
    await clean(site.store);
  }));

test("a file replaced by an older copy under a running server is mended at the next batch", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    await put(ledger, "a");
    const copy = site.copy();
    await put(ledger, "b");
    await remove(ledger, "a");
    renameSync(copy, site.path);
    await put(ledger, "c");
    assert.equal(names(ledger), "bc");
    assert.equal(ledger.registry.head.epoch, 32);
    await clean(site.store);
    await site.stop();
    assert.equal(names(await site.start()), "bc");
  }));

test("a file replaced under a server that writes nothing is noticed when it looks", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    const copy = site.copy();
    await put(ledger, "a");
    renameSync(copy, site.path);
    await assert.rejects(site.store.entries.count({}), (e) => isBonafideError(e, "STORE_REPLACED"));
    await ledger.catchUp();
    assert.equal(await site.store.entries.count({}), 0);
    assert.equal(names(ledger), "a");
    assert.equal(ledger.registry.head.epoch, 32);
  }));

test("a file removed under a running server is held: it serves on, writes nothing, names the command", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    await put(ledger, "a");
    unlinkSync(site.path);
    await assert.rejects(put(ledger, "b"), (error) => {
      assert.ok(isBonafideError(error, "LEDGER_HELD"));
      assert.match(error.message, /accept-rewind/);
      return true;
    });
    assert.equal(names(ledger), "a");
    assert.equal(ledger.standing.kind, "held");
    await ledger.acceptRewind({ via: "test", uid: 0 });
    await put(ledger, "c");
    assert.equal(names(ledger), "c");
    await clean(site.store);
  }));

test("a file that was emptied is held at the next start", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    await put(ledger, "a");
    await site.stop();
    truncateSync(site.path, 0);
    const held = await site.start();
    assert.equal(held.standing.kind, "held");
    assert.equal(names(held), "a");
  }));

test("a file that was cut off, at any page, is refused as damaged or mended, never believed", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    for (let i = 0; i < 30; i += 1) await put(ledger, `s${i}`, "x".repeat(400));
    const all = names(ledger);
    await site.stop();
    const whole = `${site.path}.whole`;
    copyFileSync(site.path, whole);
    const { size } = statSync(whole);
    let refused = 0;
    for (let at = 4096; at < size; at += 4096 * 3) {
      copyFileSync(whole, site.path);
      truncateSync(site.path, at);
      for (const side of ["-wal", "-shm"]) rmSync(`${site.path}${side}`, { force: true });
      try {
        const again = await site.start();
        assert.equal(names(again), all, `cut at ${at}`);
      } catch (error) {
        assert.ok(isBonafideError(error, "STORE_CORRUPT"), String(error));
        refused += 1;
      }
      await site.stop();
    }
    assert.ok(refused > 0);
  }));

test("a leaf edited behind a running server is held at the next batch and refused at a start", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    await put(ledger, "a");
    await put(ledger, "b");
    site.edit("UPDATE leaf SET leaf = zeroblob(80) WHERE n = 4");
    await assert.rejects(put(ledger, "c"), (e) => isBonafideError(e, "LEDGER_HELD"));
    assert.equal(names(ledger), "ab");
    await site.stop();
    await assert.rejects(site.start(), isBonafideError);
    const report = await verifyStore(site.store);
    assert.ok(report.faults.some(({ code, n }) => code === "leaf.malformed" && n === 4));
  }));

test("a body edited behind the server is refused at the next start", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    await put(ledger, "a", "right");
    await site.stop();
    site.edit("UPDATE leaf SET body = CAST(replace(body, 'right', 'wrong') AS BLOB) WHERE n = 4");
    await assert.rejects(site.start(), isBonafideError);
    const report = await verifyStore(site.store);
    assert.ok(report.faults.length > 0);
  }));

test("a head edited behind the server is refused at the next start", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    await put(ledger, "a");
    await site.stop();
    site.edit("UPDATE head SET root = zeroblob(32)");
    await assert.rejects(site.start(), (e) => isBonafideError(e, "LEDGER_FORKED"));
  }));

test("rows edited behind a running server are mended before the next batch", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    await put(ledger, "a");
    site.edit("UPDATE object SET natural_key = 'z' WHERE kind = 13");
    await put(ledger, "b");
    assert.ok(site.events.some((e) => e.event === "ledger.rows-mended" && e.rows === 1));
    await clean(site.store);
  }));

test("a second server on the same file is refused, and may start once the first has ended", () =>
  withSite(async (site) => {
    await site.start();
    await assert.rejects(openSqliteStore({ path: site.path }), (e) =>
      isBonafideError(e, "STORE_LOCKED"),
    );
    const reader = await openSqliteStore({ path: site.path, readOnly: true });
    await clean(reader);
    await assert.rejects(reader.soft.upsertNodes([]), (e) => isBonafideError(e, "STORE_READ_ONLY"));
    await reader.close();
    await site.stop();
    await site.start();
  }));

test("a full disk is STORE_FULL, readers go on, and nothing is half written", () =>
  withSite(async (site) => {
    const small = await openSqliteStore({ path: site.path, pagesMax: 80 });
    const ledger = await openLedger(
      { store: small, clock: systemClock },
      {
        trustDomain: "example.org",
        serverId: "s1",
        memoryDir: join(site.dir, "memory"),
        version: "0.1",
      },
    );
    try {
      let code = "";
      for (let i = 0; i < 2000 && code === ""; i += 1) {
        try {
          await put(ledger, `s${i}`, "x".repeat(1000));
        } catch (error) {
          assert.ok(isBonafideError(error) && error.retry);
          ({ code } = error);
        }
      }
      assert.equal(code, "STORE_FULL");
      assert.ok(ledger.registry.count("setting") > 10);
      await clean(small);
    } finally {
      await ledger.close();
      await small.close();
    }
  }));

test("a file that is no database, or of a newer version, is refused by code", () =>
  withSite(async (site) => {
    await site.start();
    await site.stop();
    site.edit("UPDATE head SET schema = 99");
    await assert.rejects(site.start(), (e) => isBonafideError(e, "STORE_SCHEMA_UNKNOWN"));
    writeFileSync(site.path, "this is a text file\n".repeat(500));
    await assert.rejects(site.start(), (e) => isBonafideError(e, "STORE_CORRUPT"));
    assert.ok(existsSync(site.path));
  }));

test("an older copy beside a newer write-ahead log is never believed", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    await put(ledger, "a");
    const copy = site.copy();
    for (let i = 0; i < 5; i += 1) await put(ledger, `b${i}`);
    copyFileSync(`${site.path}-wal`, `${site.path}.kept-wal`);
    await site.stop();
    renameSync(copy, site.path);
    renameSync(`${site.path}.kept-wal`, `${site.path}-wal`);
    try {
      const again = await site.start();
      assert.equal(names(again), "ab0b1b2b3b4");
      await clean(site.store);
    } catch (error) {
      assert.ok(isBonafideError(error), String(error));
      assert.ok(["data_loss", "unavailable"].includes(error.status), error.code);
    }
  }));

test("an erased name leaves the file's bytes", () =>
  withSite(async (site) => {
    const ledger = await site.start();
    await put(ledger, "a", "a-name-to-be-forgotten");
    await put(ledger, "a", "another");

    const bytes = (): string =>
      ["", "-wal"]
        .map((side) => `${site.path}${side}`)
        .filter((path) => existsSync(path))
        .map((path) => readFileSync(path, "latin1"))
        .join("");
    assert.ok(bytes().includes("a-name-to-be-forgotten"));
    await site.store.ledger.erase([{ n: 4, meta: false, object: true }]);
    assert.ok(!bytes().includes("a-name-to-be-forgotten"));
    await clean(site.store);
  }));
