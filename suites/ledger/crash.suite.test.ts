import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { systemClock } from "@bonafide/lifetime";
import { openLedger, verifyStore } from "@bonafide/server";
import { openSqliteStore } from "@bonafide/store-sqlite";

const ROUNDS = Number(process.env["ROUNDS"] ?? 15);
const SEED = Number(process.env["SEED"] ?? 1);

interface Acknowledged {
  readonly key: string;
  readonly value: string | null;
  readonly number: number;
}

/** Starts the writer, kills it once it acknowledged `after` changes, and tells all that it said. */
async function writeUntilKilled(
  dir: string,
  round: number,
  after: number,
): Promise<Acknowledged[]> {
  const script = join(import.meta.dirname, "writer.ts");
  const child = spawn(process.execPath, [script, dir, String(round)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  const said: Acknowledged[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    // A last line may be cut; what was not said whole was not acknowledged.
    if (!line.endsWith("}")) continue;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what writer.ts prints
    said.push(JSON.parse(line) as Acknowledged);
    if (said.length === after) child.kill("SIGKILL");
  }
  const [, signal]: unknown[] = await exit;
  assert.equal(signal, "SIGKILL", "the writer must not end by itself");
  return said;
}

test(`a writer killed ${ROUNDS} times from seed ${SEED}: nothing acknowledged is lost`, async () => {
  const dir = mkdtempSync("/tmp/bf-crash-");
  let state = SEED;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const newest = new Map<string, Acknowledged>();
  let highest = 0;
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const said = await writeUntilKilled(dir, round, 1 + random(400));
      for (const one of said) {
        const before = newest.get(one.key);
        assert.ok(before === undefined || one.number > before.number, "numbers never fall");
        newest.set(one.key, one);
        highest = Math.max(highest, one.number);
      }
      await using store = await openDisposable(dir);
      const report = await verifyStore(store.store);
      assert.deepEqual(report.faults, [], `round ${round}`);
      const ledger = await openLedger(
        { store: store.store, clock: systemClock },
        {
          trustDomain: "example.org",
          serverId: "s1",
          memoryDir: join(dir, "memory"),
          version: "0.1",
        },
      );
      assert.deepEqual(ledger.standing, { kind: "writing" });
      assert.equal(ledger.registry.head.epoch, 16, "a crash is no rewind");
      assert.ok(ledger.registry.kindNumber("setting") >= highest);
      for (const [key, { value, number }] of newest) {
        const known = ledger.registry.find("setting", key);
        // Something newer may have been committed without having been acknowledged.
        if (known === undefined) {
          const slot = ledger.registry.slot("setting", key);
          assert.ok(slot !== undefined && ledger.registry.numberOf(slot) >= number, key);
        } else if (known.object.value !== value) {
          assert.ok(ledger.registry.numberOf(known) > number, key);
        }
        const pair = key.replace(/left$|right$/, (side) => (side === "left" ? "right" : "left"));
        const other = ledger.registry.find("setting", pair);
        assert.equal(other?.object.value, known?.object.value, "a proposal is whole");
      }
      await ledger.close();
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
});

async function openDisposable(dir: string) {
  const store = await openSqliteStore({ path: join(dir, "ledger.db") });
  return { store, [Symbol.asyncDispose]: () => store.close() };
}
