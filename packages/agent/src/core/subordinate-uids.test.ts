import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseUidOwners } from "./subordinate-uids.ts";

const PASSWD =
  "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n";

test("a subordinate uid belongs to its account, by name or by number; others to themselves", () => {
  const owners = parseUidOwners("alice:100000:65536\n1001:165536:65536\n", PASSWD);
  for (const [uid, owner] of [
    [99_999, 99_999],
    [100_000, 1000],
    [165_535, 1000],
    [165_536, 1001],
    [231_071, 1001],
    [231_072, 231_072],
    [1000, 1000],
    [0, 0],
    [-1, -1],
  ] as const) {
    assert.equal(owners.ownerOf(uid), owner, String(uid));
  }
});

test("several ranges of one account are all its own", () => {
  const owners = parseUidOwners("alice:300000:10\nalice:100000:10\n", PASSWD);
  assert.deepEqual(
    [100_005, 300_005, 200_000].map((uid) => owners.ownerOf(uid)),
    [1000, 1000, 200_000],
  );
});

test("nobody becomes root, or is freed of limits, by a line", () => {
  const owners = parseUidOwners("root:100000:65536\n0:200000:10\nalice:0:10\n", PASSWD);
  assert.equal(owners.ownerOf(100_001), 100_001);
  assert.equal(owners.ownerOf(200_001), 200_001);
  assert.equal(owners.ownerOf(0), 0);
  assert.equal(owners.ownerOf(5), 5);
});

test("lines that are no ranges are left out, and the others hold", () => {
  const lines = [
    "",
    "# a comment",
    "alice",
    "alice:1",
    "alice:x:10",
    "alice:100:-1",
    "alice:100:0",
    "alice:4294967290:100",
    "alice:100:1:1",
    "mallory:500:10",
    "alice:99999999999:1",
    "bob:600000:10",
  ];
  const owners = parseUidOwners(lines.join("\n"), PASSWD);
  for (const uid of [100, 505, 4_294_967_291]) assert.equal(owners.ownerOf(uid), uid);
  assert.equal(owners.ownerOf(600_009), 1001);
});

test("of ranges that overlap the first one counts", () => {
  const owners = parseUidOwners("alice:100000:100\nbob:100050:100\n", PASSWD);
  assert.equal(owners.ownerOf(100_060), 1000);
  assert.equal(owners.ownerOf(100_120), 100_120);
});

test("whatever the files say: every uid has one owner, the same each time, and root is root's alone", () => {
  const line = fc
    .tuple(fc.constantFrom("alice", "bob", "root", "0", "7", ""), fc.nat(300), fc.nat(100))
    .map((parts) => parts.join(":"));
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string())), fc.nat(400), (lines, uid) => {
      const owners = parseUidOwners(lines.join("\n"), PASSWD);
      const owner = owners.ownerOf(uid);
      assert.ok([uid, 7, 1000, 1001].includes(owner));
      assert.equal(owner === 0, uid === 0);
    }),
  );
});
