import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type LogEvent, silentLog } from "@bonafide/lifetime";
import { ManualClock } from "@bonafide/lifetime/testing";
import { readUidOwners } from "./read-uid-owners.ts";
import { UidLimits } from "./uid-limits.ts";

const EXCEEDED = { code: "CALLER_LIMIT_EXCEEDED" };

test("one user's streams are limited; another's and root's are not", () => {
  const limits = new UidLimits(new ManualClock(0), { streamsPerUidMax: 2 });
  const close = limits.openStream(1000);
  limits.openStream(1000);
  assert.throws(() => limits.openStream(1000), EXCEEDED);
  limits.openStream(1001);
  for (let i = 0; i < 5; i++) limits.openStream(0);
  assert.equal(limits.streams, 8);
  close();
  assert.equal(limits.streams, 7);
  limits.openStream(1000);
});

test("all streams together are limited, root's too", () => {
  const limits = new UidLimits(new ManualClock(0), { streamsMax: 2 });
  limits.openStream(1000);
  limits.openStream(0);
  assert.throws(() => limits.openStream(0), EXCEEDED);
  assert.throws(() => limits.openStream(1001), EXCEEDED);
});

test("a stream that is closed twice is counted once", () => {
  const limits = new UidLimits(new ManualClock(0), { streamsPerUidMax: 2 });
  const close = limits.openStream(1000);
  limits.openStream(1000);
  close();
  close();
  assert.equal(limits.streams, 1);
  limits.openStream(1000);
  assert.throws(() => limits.openStream(1000), EXCEEDED);
});

test("a user's attestations are limited to a burst that refills, root's are not", async () => {
  const clock = new ManualClock(0);
  const limits = new UidLimits(clock, { attestationsASecond: 2, attestationsBurst: 3 });
  for (let i = 0; i < 3; i++) limits.takeAttestation(1000);
  assert.throws(() => {
    limits.takeAttestation(1000);
  }, EXCEEDED);
  limits.takeAttestation(1001);
  for (let i = 0; i < 10; i++) limits.takeAttestation(0);
  await clock.advance(500);
  limits.takeAttestation(1000);
  assert.throws(() => {
    limits.takeAttestation(1000);
  }, EXCEEDED);
});

test("a user who is refused all the time is not forgotten for others who come", () => {
  const limits = new UidLimits(new ManualClock(0), { attestationsBurst: 1 });
  limits.takeAttestation(1000);
  for (let uid = 2000; uid < 10_000; uid++) {
    limits.takeAttestation(uid);
    assert.throws(() => {
      limits.takeAttestation(1000);
    }, EXCEEDED);
  }
});

test("a user's subordinate uids, as the machine's files give them, share its streams and attestations", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bf-subuid-"));
  try {
    const subuidPath = join(folder, "subuid");
    const passwdPath = join(folder, "passwd");
    await writeFile(subuidPath, "alice:100000:65536\n");
    await writeFile(passwdPath, "root:x:0:0::/:\nalice:x:1000:1000::/home/alice:/bin/sh\n");
    const owners = await readUidOwners(silentLog, { subuidPath, passwdPath });
    const options = { streamsPerUidMax: 3, attestationsBurst: 3 };
    const limits = new UidLimits(new ManualClock(0), options, owners);
    const close = limits.openStream(1000);
    for (const uid of [100_000, 165_535]) limits.openStream(uid);
    assert.throws(() => limits.openStream(100_001), EXCEEDED);
    assert.throws(() => limits.openStream(1000), EXCEEDED);
    limits.openStream(165_536);
    close();
    limits.openStream(100_001);
    for (const uid of [1000, 100_000, 100_001]) limits.takeAttestation(uid);
    assert.throws(() => {
      limits.takeAttestation(100_002);
    }, EXCEEDED);
    limits.takeAttestation(1001);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a machine without these files, or with ones that cannot be read, has a share for each uid", async () => {
  const lines: LogEvent[] = [];
  const log = (event: LogEvent): void => void lines.push(event);
  const missing = { subuidPath: "/nowhere/subuid", passwdPath: "/nowhere/passwd" };
  assert.equal((await readUidOwners(log, missing)).ownerOf(100_000), 100_000);
  assert.deepEqual(lines, []);
  const folder = { subuidPath: tmpdir(), passwdPath: tmpdir() };
  assert.equal((await readUidOwners(log, folder)).ownerOf(100_000), 100_000);
  assert.deepEqual(
    lines.map(({ event }) => event),
    ["uids.not_read", "uids.not_read"],
  );
});

test("when all users together ask too much, those are refused who ask most", () => {
  const limits = new UidLimits(new ManualClock(0), { attestationsBurst: 100 });
  // Each takes half of its burst; together that is more than there is for all.
  for (let uid = 1; uid <= 300; uid++) for (let i = 0; i < 50; i++) limits.takeAttestation(uid);
  assert.throws(() => {
    limits.takeAttestation(1);
  }, EXCEEDED);
  limits.takeAttestation(1000);
});
