import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mapsAll, overflowIds } from "./overflow-ids.ts";

test("the kernel's number for unknown ids and the usual one are nobody's", () => {
  const { uids, gids } = overflowIds();
  assert.ok(uids.has(65_534) && gids.has(65_534));
  assert.ok(uids.has(Number(readFileSync("/proc/sys/kernel/overflowuid", "latin1"))));
});

test("only the whole map has every id as itself", () => {
  assert.equal(mapsAll("         0          0 4294967295\n"), true);
  for (const map of [
    "",
    "0 1000 1\n",
    "0 0 65536\n",
    "0 0 1000\n1000 1000 4294966295\n",
    "0 100000 4294967295\n",
  ]) {
    assert.equal(mapsAll(map), false, map);
  }
});
