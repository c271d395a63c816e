import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import { ManualClock } from "@bonafide/lifetime/testing";
import type { VerifiedBundle } from "../bundle/verified-bundle.ts";
import { BUNDLE_BYTES_MAX } from "../limits.ts";
import { buildOf, ISSUED, LIFE, newSigner, trustIn } from "../testing/signed-org.ts";
import { type BundleFile, type BundleFileOptions, openBundleFile } from "./bundle-file.ts";

const ann = await newSigner();
const trust = trustIn([ann]);
const bundles = new Map<number, Uint8Array>();
for (const serial of [6, 7, 8, Number.MAX_SAFE_INTEGER])
  bundles.set(serial, await (await buildOf(serial)).sign(ann));

test("without a file there is no bundle; once there is one, it is adopted", async () => {
  await using place = await Place.make();
  await using file = await place.open();
  assert.equal(file.current, undefined);
  assert.deepEqual(place.problems, ["BUNDLE_UNREADABLE"]);
  await file.look();
  assert.deepEqual(place.problems, ["BUNDLE_UNREADABLE"]);
  await place.put(7);
  await file.look();
  assert.equal(serialOf(file), 7);
  assert.equal(file.problem, undefined);
});

test("a bundle that is corrupt, unsigned, too large, rolled back or gone leaves the last good one", async () => {
  await using place = await Place.make();
  await place.put(7);
  await using file = await place.open();
  const good = file.current;
  const torn = (bundles.get(8) ?? assert.fail()).subarray(0, 2000);
  const foreign = await (await buildOf(8)).sign(await newSigner());
  for (const [code, bytes] of [
    ["BUNDLE_MALFORMED", new TextEncoder().encode("{}")],
    ["BUNDLE_MALFORMED", torn],
    ["BUNDLE_UNTRUSTED", foreign],
    ["BUNDLE_TOO_LARGE", new Uint8Array(BUNDLE_BYTES_MAX + 1)],
    ["BUNDLE_ROLLED_BACK", bundles.get(6) ?? assert.fail()],
  ] as const) {
    await place.putBytes(bytes);
    await file.look();
    assert.equal(file.problem?.code, code);
    assert.equal(file.current, good);
  }
  await rm(place.file);
  await file.look();
  assert.equal(file.problem?.code, "BUNDLE_UNREADABLE");
  assert.equal(file.current, good);
  await place.put(8);
  await file.look();
  assert.equal(serialOf(file), 8);
  assert.deepEqual(place.adopted, [7, 8]);
});

test("a file that was written in two steps is adopted when it is whole", async () => {
  await using place = await Place.make();
  await using file = await place.open();
  const bytes = bundles.get(7) ?? assert.fail();
  await writeFile(place.file, bytes.subarray(0, 3000));
  await file.look();
  assert.equal(file.current, undefined);
  await writeFile(place.file, bytes);
  await file.look();
  assert.equal(serialOf(file), 7);
});

test("a new file is noticed by itself", async () => {
  await using place = await Place.make();
  const adopted = Promise.withResolvers<VerifiedBundle>();
  await using followed = await place.open({ onAdopted: adopted.resolve });
  await place.put(7);
  await place.clock.advance(2000);
  assert.equal(await adopted.promise, followed.current);
});

test("a bundle from the future is adopted when its time has come", async () => {
  await using place = await Place.make();
  place.clock.jump(-LIFE);
  await place.put(7);
  await using file = await place.open();
  assert.equal(file.problem?.code, "BUNDLE_NOT_YET_VALID");
  place.clock.jump(LIFE);
  await file.look();
  assert.equal(serialOf(file), 7);
});

test("what is kept survives a restart: the last good bundle while the file is bad, and the floor", async () => {
  await using place = await Place.make();
  await place.put(7);
  await using first = await place.open({ keep: place.keep });
  assert.equal(serialOf(first), 7);
  await first.close();

  await place.putBytes(new Uint8Array(10));
  await using second = await place.open({ keep: place.keep });
  assert.equal(serialOf(second), 7);
  assert.equal(second.problem?.code, "BUNDLE_MALFORMED");
  await second.close();

  await place.put(6);
  await rm(join(place.keep, "last-good.bundle"));
  await using third = await place.open({ keep: place.keep });
  assert.equal(third.current, undefined);
  assert.equal(third.problem?.code, "BUNDLE_ROLLED_BACK");
});

test("the largest serial that can be signed is a floor that can be read", async () => {
  await using place = await Place.make();
  await place.put(Number.MAX_SAFE_INTEGER);
  await (await place.open({ keep: place.keep })).close();
  await place.put(8);
  await using file = await place.open({ keep: place.keep });
  assert.equal(serialOf(file), Number.MAX_SAFE_INTEGER);
  assert.equal(file.problem?.code, "BUNDLE_ROLLED_BACK");
});

test("without a folder to keep in, a restart takes an older bundle: the price is written down", async () => {
  await using place = await Place.make();
  await place.put(7);
  await (await place.open()).close();
  await place.put(6);
  await using file = await place.open();
  assert.equal(serialOf(file), 6);
});

test("a floor that cannot be read ends the opening: going on would allow a rollback", async () => {
  await using place = await Place.make();
  await place.put(7);
  await mkdir(place.keep);
  for (const floor of ["7\n", `9007199254740993 ${"0".repeat(64)}\n`]) {
    await writeFile(join(place.keep, "floor"), floor);
    await assert.rejects(place.open({ keep: place.keep }), (error) =>
      isBonafideError(error, "BUNDLE_UNREADABLE"),
    );
  }
});

test("a bundle that cannot be kept is adopted all the same, and somebody is told", async () => {
  await using place = await Place.make();
  await place.put(7);
  await using file = await place.open({ keep: join(place.folder, "missing") });
  assert.equal(serialOf(file), 7);
  await rm(join(place.folder, "missing"), { recursive: true });
  await writeFile(join(place.folder, "missing"), "");
  await place.put(8);
  await file.look();
  assert.equal(serialOf(file), 8);
  assert.deepEqual(place.problems, ["BUNDLE_UNREADABLE"]);
});

test("a program that throws when it is told something is told of the next bundle, too", async () => {
  await using place = await Place.make();
  const told: unknown[] = [];
  const tell = (what: unknown): never => {
    told.push(what);
    throw new Error("no pager");
  };
  await using file = await place.open({
    keep: place.keep,
    onAdopted: ({ ref }) => tell(ref.serial),
    onProblem: ({ code }) => tell(code),
  });
  await place.put(7);
  await file.look();
  await place.put(8);
  await file.look();
  assert.equal(serialOf(file), 8);
  const both = ["BUNDLE_UNREADABLE", 7, "BUNDLE_UNREADABLE", 8, "BUNDLE_UNREADABLE"];
  assert.deepEqual(told, both);
  assert.match(await readFile(join(place.keep, "floor"), "utf8"), /^8 /);
});

test("after closing nothing is looked at any more", async () => {
  await using place = await Place.make();
  const file = await place.open();
  await file.close();
  await file.close();
  assert.equal(place.clock.sleepers, 0);
});

function serialOf({ current }: BundleFile): number | undefined {
  return current?.ref.serial;
}

class Place implements AsyncDisposable {
  readonly folder: string;
  readonly clock = new ManualClock(ISSUED + 1);
  readonly problems: string[] = [];
  readonly adopted: number[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), "bundle-file-")));
  }

  get file(): string {
    return join(this.folder, "authz.bundle");
  }

  get keep(): string {
    return join(this.folder, "keep");
  }

  async put(serial: number): Promise<void> {
    await this.putBytes(bundles.get(serial) ?? assert.fail());
  }

  async putBytes(bytes: Uint8Array): Promise<void> {
    await writeFile(`${this.file}.new`, bytes);
    await rename(`${this.file}.new`, this.file);
  }

  open(options: Partial<BundleFileOptions> = {}): Promise<BundleFile> {
    return openBundleFile({
      file: this.file,
      trust,
      trustDomain: "example.org",
      services: ["payments"],
      clock: this.clock,
      onProblem: ({ code }) => this.problems.push(code),
      onAdopted: ({ ref }) => this.adopted.push(ref.serial),
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
