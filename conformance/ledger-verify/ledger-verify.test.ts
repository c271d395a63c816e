import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fromHex, toHex, verifyLedger } from "@bonafide/ledger";
import { systemClock } from "@bonafide/lifetime";
import { openMemoryStore } from "@bonafide/plugin-api/testing";
import { exportStore, openLedger, verifyStore } from "@bonafide/server";
import { makeVectors } from "./make-vectors.ts";

const folder = import.meta.dirname;
const SCRIPT = join(folder, "verify_ledger.py");

interface Verdict {
  readonly leaves: number;
  readonly root: string;
  readonly faults: readonly (readonly [code: string, n: number])[];
}

function python(...args: readonly string[]): Promise<{ code: number; out: string }> {
  return new Promise((resolve, reject) => {
    execFile("python3", [SCRIPT, ...args], { maxBuffer: 2 ** 26 }, (error, out, err) => {
      if (error !== null && typeof error.code !== "number") reject(error);
      else if (err !== "") reject(new Error(err));
      else resolve({ code: Number(error?.code ?? 0), out });
    });
  });
}

/** A ledger with entries, updates, removals, an erased body and two epochs, as the lines of an export. */
async function sampleExport(): Promise<string[]> {
  const dir = mkdtempSync("/tmp/bf-export-");
  const store = openMemoryStore();
  const options = {
    trustDomain: "example.org",
    serverId: "s1",
    memoryDir: join(dir, "memory"),
    version: "0.1",
  };
  const ledger = await openLedger({ store, clock: systemClock }, options);
  try {
    const by = { actor: { via: "test", uid: 0 }, cause: "test" } as const;
    for (let i = 0; i < 5; i += 1) {
      await ledger.lane.submit(
        () => Array.from({ length: 60 }, (_, k) => ({ put: setting(`s-${i}-${k}`, "v") })),
        by,
      );
    }
    await ledger.lane.submit(() => [{ put: setting("s-0-0", "w") }], by);
    await ledger.lane.submit(() => [{ remove: { kind: "setting", naturalKey: "s-0-1" } }], by);
    store.database.promote();
    await ledger.lane.submit(() => [{ put: setting("s-0-1", "again") }], by);
    await store.ledger.erase([{ n: 4, meta: false, object: true }]);
    const report = await verifyStore(store);
    assert.deepEqual([report.faults, report.erasedParts], [[], 1]);
    const lines: string[] = [];
    for await (const line of exportStore(store)) lines.push(line);
    return lines;
  } finally {
    await ledger.close();
    rmSync(dir, { recursive: true });
  }
}

interface Line {
  readonly n?: number;
  readonly leaf?: string;
  readonly body?: string;
  readonly root?: string;
  readonly epoch?: number;
  readonly row?: { kind: number; key: string; n: number; first_n: number };
}

/** What our verifier says of the lines of an export; an export has no columns that could be compared. */
async function ours(lines: readonly string[]): Promise<Verdict> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- lines of our own export
  const items = lines.map((line) => JSON.parse(line) as Line);
  const [head, ...rest] = items;
  const leaves = rest.flatMap(({ leaf, body }) =>
    leaf === undefined || body === undefined ? [] : [{ leaf: fromHex(leaf), body: fromHex(body) }],
  );
  const stored = await verifyLedger({
    head: { epoch: head?.epoch ?? 0, n: head?.n ?? 0, root: fromHex(head?.root ?? "") },
    leaves: toAsync(leaves),
  });
  return {
    leaves: stored.leaves,
    root: toHex(stored.root),
    faults: stored.faults.map(({ code, n }) => [code, n] as const),
  };
}

async function* toAsync<T>(list: readonly T[]): AsyncGenerator<T, void, void> {
  for (const item of list) yield await Promise.resolve(item);
}

async function theirs(lines: readonly string[]): Promise<Verdict & { readonly code: number }> {
  const dir = mkdtempSync("/tmp/bf-export-");
  try {
    writeFileSync(join(dir, "export"), `${lines.join("\n")}\n`);
    const { code, out } = await python(join(dir, "export"));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the script prints
    return { ...(JSON.parse(out) as Verdict), code };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const setting = (name: string, value: string) => ({ kind: "setting", name, value }) as const;
const codes = async (export_: readonly string[]): Promise<string[]> =>
  (await theirs(export_)).faults.map(([code]) => code);
const leafFaults = (verdict: Verdict) =>
  verdict.faults.filter(([code]) => !code.startsWith("row."));

test("the checked-in vectors are what our code makes", () => {
  assert.deepEqual(JSON.parse(readFileSync(join(folder, "vectors.json"), "utf8")), makeVectors());
});

test("the verifier in Python agrees with every vector, and finds a changed one", async () => {
  const path = join(folder, "vectors.json");
  assert.deepEqual(await python("--vectors", path), { code: 0, out: '{"wrong": 0}\n' });
  const dir = mkdtempSync("/tmp/bf-vectors-");
  try {
    const changed = readFileSync(path, "utf8").replace(/"kind": ?3/, '"kind":4');
    writeFileSync(join(dir, "v.json"), changed);
    assert.equal((await python("--vectors", join(dir, "v.json"))).code, 1);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test("both verifiers find a right export right, and the same root", async () => {
  const lines = await sampleExport();
  const [our, their] = [await ours(lines), await theirs(lines)];
  assert.deepEqual([our.faults, their.faults, their.code], [[], [], 0]);
  assert.deepEqual([their.leaves, their.root], [our.leaves, our.root]);
  assert.ok(!lines.join("").includes("key_secret"));
});

test("both verifiers name the same faults in exports that were changed", async () => {
  const lines = await sampleExport();
  /** Changes one byte of a leaf or a body. */
  const flip = (at: number, field: "leaf" | "body", byte: number): string[] =>
    lines.map((line, i) => {
      if (i !== at) return line;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- lines of our own export
      const item = JSON.parse(line) as Record<"leaf" | "body", string>;
      const bytes = fromHex(item[field]).slice();
      bytes[byte] = (bytes[byte] ?? 0) ^ 1;
      return JSON.stringify({ ...item, [field]: toHex(bytes) });
    });
  const swapped = [...lines];
  [swapped[7], swapped[8]] = [lines[8] ?? "", lines[7] ?? ""];
  const changed: Record<string, readonly string[]> = {
    "leaf.malformed": flip(5, "leaf", 0),
    "leaf.prev": flip(6, "leaf", 31),
    "leaf.gap": flip(9, "leaf", 15),
    "epoch.unopened": flip(9, "leaf", 7),
    "body.commitment": flip(10, "body", 30),
    "body.malformed": flip(10, "body", 1),
    "head.differs": lines.filter((_, i) => i !== 20),
    "ledger.misplaced": flip(1, "leaf", 3),
    "leaf.gap (swapped)": swapped,
  };
  for (const [what, export_] of Object.entries(changed)) {
    const [our, their] = [await ours(export_), await theirs(export_)];
    // What a version knows is its own affair.
    const shared = our.faults.filter(([code]) => code !== "leaf.too-new");
    assert.deepEqual(leafFaults(their), shared, what);
    assert.equal(their.code, 1, what);
    const [code] = what.split(" ");
    assert.ok(
      our.faults.some(([found]) => found === code),
      `${what}: ${JSON.stringify(our)}`,
    );
  }
});

test("the verifier in Python holds rows against leaves, both ways", async () => {
  const lines = await sampleExport();
  const at = lines.findIndex((line) => line.startsWith('{"row"'));
  const line = lines[at] ?? "";
  assert.deepEqual(await codes(lines.toSpliced(at, 1)), ["row.missing"]);
  assert.deepEqual(await codes(lines.toSpliced(at, 1, line.replace(/"n":\d+/, '"n":9'))), [
    "row.differs",
  ]);
  assert.deepEqual(await codes([...lines, line]), ["row.stray"]);
});
