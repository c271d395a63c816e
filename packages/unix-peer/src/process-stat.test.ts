import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseEffectiveIds, parseProcessStat } from "./process-stat.ts";

test("this process's own stat and status are read", () => {
  const stat = parseProcessStat(readFileSync("/proc/self/stat", "latin1"));
  assert.equal(stat?.parentPid, process.ppid);
  assert.ok((stat?.startTicks ?? 0n) > 0n);
  assert.equal(stat?.isEnding, false);
  const ids = parseEffectiveIds(readFileSync("/proc/self/status", "latin1"));
  assert.deepEqual(ids, { uid: process.geteuid?.(), gid: process.getegid?.() });
});

test("a name full of brackets and digits moves no field", () => {
  const text = `7 (a) R 9 9 (b) S 5 6 8 0 -1 ${"0 ".repeat(12)}0 4242 0\n`;
  const fields = parseProcessStat(text);
  assert.deepEqual(fields, {
    state: "S",
    parentPid: 5,
    sessionId: 8,
    startTicks: 4242n,
    isEnding: false,
  });
});

test("a process ends with its last thread, not with its first", () => {
  const ends: [flags: number, threads: number, isEnding: boolean][] = [
    [0x40_0004, 1, true],
    [0x40_0004, 2, false],
    [0x40_0000, 1, false],
  ];
  for (const [flags, threads, isEnding] of ends) {
    const text = `7 (a) R 5 6 8 0 -1 ${flags} ${"0 ".repeat(10)}${threads} 0 4242 0`;
    assert.equal(parseProcessStat(text)?.isEnding, isEnding);
  }
});

test("cut or foreign text is none", () => {
  assert.equal(parseProcessStat(""), undefined);
  assert.equal(parseProcessStat("7 (a) S 1 2 3"), undefined);
  assert.equal(parseEffectiveIds("Uid:\t1\n"), undefined);
});
