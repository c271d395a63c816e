import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { UidOwners } from "../../core/subordinate-uids.ts";
import { DigestMemory } from "./digest-memory.ts";
import { FairQueue } from "./fair-queue.ts";
import { createFileDigests, type FileDigest, type FileDigests } from "./file-digests.ts";

const { signal } = new AbortController();
const MIB = 1024 * 1024;

test("digests are bounded by size, shared, and follow the file", async (t) => {
  const folder = mkdtempSync("/tmp/bf-");
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, "f");
  await using digests = createFileDigests({ sizeBytesMax: 5 });
  const digest = async () => {
    await using file = await open(path);
    return await digests.sha256(file, { uid: 1, signal });
  };
  for (const text of ["", "one", "two"]) {
    writeFileSync(path, text);
    const hex = createHash("sha256").update(text).digest("hex");
    const answers = await Promise.all([digest(), digest()]);
    assert.deepEqual(answers, [
      { kind: "digest", hex },
      { kind: "digest", hex },
    ]);
  }
  writeFileSync(path, "longer");
  assert.deepEqual(await digest(), { kind: "too-large" });
  {
    await using file = await open(folder);
    assert.deepEqual(await digests.sha256(file, { uid: 1, signal }), { kind: "unreadable" });
  }
  copyFileSync("/dev/null", path);
  writeFileSync(path, "last");
  await using file = await open(path);
  const late = await digests.sha256(file, { uid: 1, signal: AbortSignal.abort() });
  assert.deepEqual(late, { kind: "not-ready" });
});

/** A folder with large files of different content. */
class LargeFiles implements Disposable {
  readonly #folder = mkdtempSync("/tmp/bf-");
  readonly #bytes: Buffer;

  constructor(size: number) {
    this.#bytes = Buffer.alloc(size, "large");
  }

  make(name: string, size: number = this.#bytes.length): string {
    const path = join(this.#folder, name);
    writeFileSync(path, Buffer.concat([Buffer.from(name), this.#bytes.subarray(0, size)]));
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

async function ask(digests: FileDigests, path: string, uid: number): Promise<FileDigest> {
  await using file = await open(path);
  return await digests.sha256(file, { uid, signal });
}

test("one user's large programs do not delay another's digest beyond its turn", async () => {
  using files = new LargeFiles(24 * MIB);
  await using digests = createFileDigests({ pieceBytes: MIB / 4 });
  const ended: string[] = [];
  const asked = async (name: string, uid: number, size?: number): Promise<void> => {
    const { kind } = await ask(digests, files.make(name, size), uid);
    assert.equal(kind, "digest");
    ended.push(name);
  };
  const all = ["a1", "a2", "a3", "a4"].map((name) => asked(name, 1001));
  all.push(asked("b1", 1002), asked("b2", 1002));
  // Last of all, and of a user who asks for one small program.
  all.push(asked("c1", 1003, 2 * MIB));
  await Promise.all(all);
  assert.equal(ended[0], "c1");
  assert.ok(ended.indexOf("b2") < ended.indexOf("a3"), ended.join());
});

test("a user waits for so many digests at a time, and others for theirs meanwhile", async () => {
  using files = new LargeFiles(MIB);
  await using digests = createFileDigests();
  const many = Array.from({ length: 20 }, (_, i) => files.make(`a${i}`));
  const answers = Promise.all(many.map((path) => ask(digests, path, 1001)));
  const other = await ask(digests, files.make("b"), 1002);
  assert.equal(other.kind, "digest");
  const kinds = (await answers).map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind === "digest").length, 8);
  assert.equal(kinds.filter((kind) => kind === "not-ready").length, 12);
  // They are refused for now only.
  assert.equal((await ask(digests, many[19] ?? "", 1001)).kind, "digest");
});

test("a program that two users wait for has its turn with each of them", async () => {
  using files = new LargeFiles(16 * MIB);
  await using digests = createFileDigests({ pieceBytes: MIB / 4 });
  const ended: string[] = [];
  const asked = async (path: string, uid: number, name: string): Promise<void> => {
    await ask(digests, path, uid);
    ended.push(name);
  };
  const shared = files.make("shared", MIB);
  const mine = ["a1", "a2", "a3"].map((name) => asked(files.make(name), 1001, name));
  // The same file, behind all those of one user, and first of another.
  const all = [...mine, asked(shared, 1001, "shared"), asked(shared, 1002, "shared too")];
  await Promise.all(all);
  assert.deepEqual(new Set(ended.slice(0, 2)), new Set(["shared", "shared too"]));
});

test("what is begun when it is closed ends as unreadable", async () => {
  using files = new LargeFiles(8 * MIB);
  const digests = createFileDigests({ pieceBytes: MIB / 4 });
  const path = files.make("a");
  const answer = ask(digests, path, 1001);
  await digests.close();
  assert.ok(["unreadable", "not-ready"].includes((await answer).kind));
  assert.deepEqual(await ask(digests, path, 1001), { kind: "not-ready" });
});

test("subordinate uids wait in their owner's place", async () => {
  using files = new LargeFiles(MIB);
  const owners = new UidOwners([{ first: 100_000, last: 165_535, owner: 1001 }]);
  await using digests = createFileDigests({ owners });
  const kinds = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const { kind } = await ask(digests, files.make(`a${i}`), 100_000 + i);
      return kind;
    }),
  );
  assert.equal(kinds.filter((kind) => kind === "digest").length, 8);
});

test("turns go round the users, and each one's work stays in order", () => {
  const queue = new FairQueue<string>(2);
  for (const [uid, work] of [
    [1, "a"],
    [1, "b"],
    [2, "c"],
  ] as const) {
    assert.equal(queue.add(uid, work), true);
  }
  assert.equal(queue.add(1, "d"), false);
  assert.equal(queue.add(1, "a"), true);
  assert.equal(queue.add(3, "a"), true);
  const next = (): string | undefined => queue.next((work) => work !== "c");
  assert.deepEqual([next(), next(), next()], ["a", "a", "a"]);
  queue.remove("a");
  assert.deepEqual([next(), queue.next(() => true)], ["b", "c"]);
  queue.remove("b");
  queue.remove("c");
  assert.equal(
    queue.next(() => true),
    undefined,
  );
});

test("a full memory forgets of the user who fills it, what was unused for longest", () => {
  const memory = new DigestMemory(4);
  memory.remember("honest", 1001, "h");
  for (let i = 0; i < 3; i++) memory.remember(`a${i}`, 1002, String(i));
  assert.equal(memory.find("a0"), "0");
  memory.remember("a3", 1002, "3");
  assert.deepEqual(
    ["honest", "a0", "a1", "a2", "a3"].map((key) => memory.find(key)),
    ["h", "0", undefined, "2", "3"],
  );
});
