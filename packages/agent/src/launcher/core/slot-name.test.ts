import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlotName, mayRegister } from "./slot-name.ts";
import { parseSlotRecords, renderSlotRecords, type SlotRecord } from "./slot-record.ts";

test("every byte is judged at the start and inside of a name", () => {
  for (let byte = 0; byte < 256; byte++) {
    const char = String.fromCharCode(byte);
    assert.equal(isSlotName(char), /[a-z0-9]/.test(char), char);
    assert.equal(isSlotName(`a${char}b`), /[a-z0-9._/-]/.test(char), char);
  }
});

test("a name has 1 to 4 parts of 1 to 63 characters", () => {
  for (const name of ["a", "a/b/c/d", "x".repeat(63), "0.a_b-c"]) assert.ok(isSlotName(name), name);
  for (const name of ["", "/", "a/", "/a", "a//b", "a/b/c/d/e", "x".repeat(64), "a\n", "a/.b"]) {
    assert.ok(!isSlotName(name), name);
  }
});

test("a permission is for one uid, a name and what lies below it", () => {
  const permissions = [
    { uid: 0, names: ["*"] },
    { uid: 7, names: ["ci", "web/front"] },
  ];
  assert.ok(mayRegister(permissions, 0, "anything"));
  for (const name of ["ci", "ci/job", "web/front", "web/front/a"]) {
    assert.ok(mayRegister(permissions, 7, name), name);
    assert.ok(!mayRegister(permissions, 8, name), name);
  }
  for (const name of ["cix", "web", "web/frontier", "*"]) {
    assert.ok(!mayRegister(permissions, 7, name), name);
  }
  assert.ok(!mayRegister([], 0, "ci"));
});

const record: SlotRecord = {
  slotId: "s",
  name: "a/b",
  launcherUid: 0,
  pid: 7,
  uid: 61_184,
  startTicks: 12_345_678_901_234_567_890n,
  pidfdInode: undefined,
  bootId: "b",
};

test("records survive the file, big numbers included", () => {
  const records = [record, { ...record, pidfdInode: 9_007_199_254_740_993n }];
  assert.deepEqual(parseSlotRecords(renderSlotRecords(records)), records);
});

test("a damaged file gives none, a damaged record only loses itself", () => {
  for (const text of ["", "{", "[]", "null", '{"version":2,"slots":[]}', '{"version":1}']) {
    assert.deepEqual(parseSlotRecords(text), []);
  }
  const good = renderSlotRecords([record, record]);
  for (const broken of ['"pid": -1', '"pid": "7"', '"pid": 4294967296', '"pid": 1.5']) {
    assert.equal(parseSlotRecords(good.replace('"pid": 7', broken)).length, 1);
  }
  assert.equal(parseSlotRecords(good.replace('"a/b"', '"A"')).length, 1);
  assert.equal(parseSlotRecords(good.replace(/"12345[0-9]*"/, '"1e9"')).length, 1);
});
