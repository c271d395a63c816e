import assert from "node:assert/strict";
import { test } from "node:test";
import { dnsNameFault } from "./dns-name.ts";
import { parseGoTime } from "./go-time.ts";
import { pictureDelta } from "./sync-plan.ts";

test("times as Go prints them are read for every day of a leap cycle, anything else is passed over", () => {
  for (let at = Date.UTC(1999, 11, 31); at < Date.UTC(2004, 2, 2); at += 86_400_000) {
    const text = new Date(at).toISOString().slice(0, 10);
    assert.equal(parseGoTime(`${text} 00:00:00 +0000 UTC`), at);
  }
  const noon = Date.UTC(2026, 10, 22, 12);
  assert.equal(parseGoTime("2026-11-22 13:30:00 +0130 CET"), noon);
  assert.equal(parseGoTime("2026-11-22 07:00:00 -0500 -05"), noon);
  for (const text of [
    "",
    "2026-11-22",
    "2026-13-01 00:00:00 +0000 UTC",
    "2026-02-29 00:00:00 +0000 UTC",
    "2026-01-01 24:00:00 +0000 UTC",
    "2026-01-00 00:00:00 +0000 UTC",
    "2026-01-01T00:00:00Z",
  ]) {
    assert.equal(parseGoTime(text), undefined, text);
  }
});

test("DNS names have labels of 1 to 63, a star only first, and 253 characters at most", () => {
  for (const good of ["a", "a.b", "*.a.b", "_x.a", "xn--a.b", `${"a".repeat(63)}.b`]) {
    assert.equal(dnsNameFault(good), undefined, good);
  }
  const long = Array.from({ length: 128 }, () => "a").join(".");
  for (const bad of ["", ".", "a.", ".a", "*", "a.*", "-a", "a-", "a b", "ä", long]) {
    assert.notEqual(dnsNameFault(bad), undefined, bad);
  }
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code);
    const isFine = /[A-Za-z0-9_-]/.test(character);
    assert.equal(
      dnsNameFault(`a${character}a`) === undefined || character === ".",
      isFine || character === ".",
    );
  }
});

test("a picture's difference names what is new, what changed either way, and what went", () => {
  const before = {
    entries: new Map([
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]),
    bundleNumber: 1,
    federated: new Map([["x.org", 1]]),
  };
  assert.equal(pictureDelta(before, before), undefined);
  const after = {
    entries: new Map([
      ["a", 1],
      ["b", 1],
      ["d", 4],
    ]),
    bundleNumber: 2,
    federated: new Map(),
  };
  assert.deepEqual(pictureDelta(before, after), {
    putEntries: ["b", "d"],
    removedEntries: ["c"],
    hasNewBundle: true,
    putFederated: [],
    removedFederated: ["x.org"],
  });
});
