import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { decodeLeaf, leafHash, toHex } from "@bonafide/ledger";
import { ManualClock } from "@bonafide/lifetime/testing";
import { LeafWriter, openMemoryStore } from "@bonafide/plugin-api/testing";
import { sampleEntry } from "../lane/testing/sample-objects.ts";
import { MemoryFile } from "./memory-file.ts";

async function withFolder(run: (dir: string, writer: LeafWriter) => Promise<void>): Promise<void> {
  const dir = mkdtempSync("/tmp/bf-memory-");
  const store = openMemoryStore();
  try {
    await run(dir, new LeafWriter(await store.ledger.head()));
  } finally {
    await store.close();
    rmSync(dir, { recursive: true });
  }
}

const clock = new ManualClock(1_795_000_000_000);
/** Remembers one batch of `count` leaves. */
async function rememberBatch(file: MemoryFile, writer: LeafWriter, count = 1): Promise<void> {
  const objects = Array.from({ length: count }, (_, i) => sampleEntry(`${writer.head.n}-${i}`));
  const { batch } = writer.batch(objects);
  await file.remember(batch.leaves, writer.head);
}

test("what was remembered is there after a reopening, in order", () =>
  withFolder(async (dir, writer) => {
    const file = await MemoryFile.open({ dir, clock });
    assert.equal(await file.recall(), undefined);
    await rememberBatch(file, writer, 3);
    await rememberBatch(file, writer, 2);
    await file.noteEpoch(32);
    await file.close();
    const again = await MemoryFile.open({ dir, clock });
    const remembered = await again.recall();
    assert.equal(again.chosenEpoch, 32);
    assert.deepEqual([remembered?.n, remembered?.from], [5, 0]);
    const [last] = remembered?.leavesAfter(4) ?? [];
    assert.equal(remembered?.hashAt(5), last && toHex(leafHash(last.leaf)));
    assert.equal(remembered?.leavesAfter(1).length, 4);
    assert.deepEqual(remembered?.incarnation, writer.head.openedIn);
    await again.close();
  }));

test("a torn last batch is dropped, wherever the crash cut it", () =>
  withFolder(async (dir, writer) => {
    const file = await MemoryFile.open({ dir, clock });
    await rememberBatch(file, writer, 2);
    const whole = readFileSync(join(dir, "memory")).length;
    await rememberBatch(file, writer, 2);
    await file.close();
    const bytes = readFileSync(join(dir, "memory"));
    for (let end = whole; end < bytes.length; end += 7) {
      writeFileSync(join(dir, "memory"), bytes.subarray(0, end));
      const cut = await MemoryFile.open({ dir, clock });
      assert.equal((await cut.recall())?.n, 2, `cut at ${end}`);
      await cut.close();
    }
  }));

test("a file cut within its first bytes is made anew", () =>
  withFolder(async (dir, writer) => {
    writeFileSync(join(dir, "memory"), "bonafide");
    const file = await MemoryFile.open({ dir, clock });
    await rememberBatch(file, writer);
    assert.equal((await file.recall())?.n, 1);
    await file.close();
  }));

test("damage before the end is refused, since what it forgot may be a ban", () =>
  withFolder(async (dir, writer) => {
    const file = await MemoryFile.open({ dir, clock });
    await rememberBatch(file, writer, 2);
    await rememberBatch(file, writer, 2);
    await file.close();
    const path = join(dir, "memory");
    const bytes = readFileSync(path);
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    await assert.rejects(MemoryFile.open({ dir, clock }), (e) =>
      isBonafideError(e, "MEMORY_CORRUPT"),
    );
    writeFileSync(path, "something else entirely");
    await assert.rejects(MemoryFile.open({ dir, clock }), (e) =>
      isBonafideError(e, "MEMORY_CORRUPT"),
    );
  }));

test("garbage after the last record is dropped and the next batch follows cleanly", () =>
  withFolder(async (dir, writer) => {
    const file = await MemoryFile.open({ dir, clock });
    await rememberBatch(file, writer);
    await file.close();
    appendFileSync(join(dir, "memory"), Buffer.alloc(100, 1));
    const again = await MemoryFile.open({ dir, clock });
    assert.equal(again.droppedBytes, 100);
    await rememberBatch(again, writer);
    await again.close();
    const third = await MemoryFile.open({ dir, clock });
    assert.deepEqual([third.droppedBytes, (await third.recall())?.n], [0, 2]);
    await third.close();
  }));

test("leaves that no name follows were told to nobody", () =>
  withFolder(async (dir, writer) => {
    const file = await MemoryFile.open({ dir, clock });
    await rememberBatch(file, writer, 2);
    const { batch } = writer.batch([sampleEntry("untold")]);
    await file.rememberLeaves(batch.leaves);
    assert.equal((await file.recall())?.n, 2);
    await file.remember([], writer.head);
    assert.equal((await file.recall())?.n, 3);
    await file.close();
  }));

test("a branch that overlaps takes the place of what it overlaps", () =>
  withFolder(async (dir, writer) => {
    const { head } = writer;
    const file = await MemoryFile.open({ dir, clock });
    await rememberBatch(file, writer, 3);
    const other = new LeafWriter(head);
    const first = other.batch([sampleEntry("x")]);
    const second = other.batch([sampleEntry("y")]);
    await file.remember(second.batch.leaves, other.head);
    const remembered = await file.recall();
    assert.deepEqual([remembered?.n, remembered?.from], [2, 0]);
    const leaves = remembered?.leavesAfter(0).map(({ leaf }) => toHex(leaf));
    assert.equal(leaves?.length, 2);
    assert.equal(leaves[1], toHex(second.batch.leaves[0]?.leaf ?? new Uint8Array()));
    assert.notEqual(leaves[0], toHex(first.batch.leaves[0]?.leaf ?? new Uint8Array()));
    await file.close();
  }));

test("old leaves are forgotten by age and by size, the newest never", () =>
  withFolder(async (dir, writer) => {
    const own = new ManualClock(1_795_000_000_000);
    const file = await MemoryFile.open({ dir, clock: own, keepBytes: 20_000, keepMs: 1000 });
    for (let i = 0; i < 60; i += 1) await rememberBatch(file, writer, 2);
    const bySize = await file.recall();
    assert.ok(bySize !== undefined && bySize.n === 120 && bySize.from > 1);
    assert.ok(readFileSync(join(dir, "memory")).length < 25_000);
    assert.equal(decodeLeaf(bySize.leavesAfter(0)[0]?.leaf ?? new Uint8Array()).n, bySize.from);
    assert.notEqual(bySize.hashAt(bySize.from), "");
    await own.advance(5000);
    await rememberBatch(file, writer);
    await own.advance(5000);
    await rememberBatch(file, writer);
    const byAge = await file.recall();
    assert.deepEqual([byAge?.n, byAge?.leavesAfter(0).length], [122, 1]);
    await file.close();
  }));

test("forgetting keeps the chosen epochs", () =>
  withFolder(async (dir, writer) => {
    const file = await MemoryFile.open({ dir, clock });
    await rememberBatch(file, writer);
    await file.noteEpoch(48);
    await file.forget();
    assert.equal(await file.recall(), undefined);
    await file.close();
    const again = await MemoryFile.open({ dir, clock });
    assert.equal(again.chosenEpoch, 48);
    await again.close();
  }));

test("a write that fails leaves the file as it was", () =>
  withFolder(async (dir, writer) => {
    const file = await MemoryFile.open({ dir, clock });
    await rememberBatch(file, writer);
    await file.close();
    await assert.rejects(rememberBatch(file, writer), (e) =>
      isBonafideError(e, "MEMORY_UNWRITABLE"),
    );
    truncateSync(join(dir, "memory"), readFileSync(join(dir, "memory")).length);
    const again = await MemoryFile.open({ dir, clock });
    assert.equal((await again.recall())?.n, 1);
    await again.close();
  }));
