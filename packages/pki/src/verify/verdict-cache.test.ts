import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { digestChain, VerdictCache, type VerifiedPath } from "../index.ts";

const verified: VerifiedPath = { path: [], notBefore: 1000, notAfter: 2000 };
const verdict = { verified, value: "id", scope: "a", revision: "7" };
const revisionOf = (): string => "7";

suite("verdict cache", () => {
  test("a verdict is found again within its validity, ends included", () => {
    const cache = new VerdictCache<string>();
    cache.remember("x", verdict);
    for (const now of [1000, 1500, 2000]) {
      assert.equal(cache.find("x", { now, revisionOf })?.value, "id");
    }
    assert.equal(cache.find("y", { now: 1500, revisionOf }), undefined);
  });

  test("before its beginning a verdict is kept and not given", () => {
    const cache = new VerdictCache<string>();
    cache.remember("x", verdict);
    assert.equal(cache.find("x", { now: 999, revisionOf }), undefined);
    assert.equal(cache.find("x", { now: 1000, revisionOf })?.value, "id");
  });

  test("after its end a verdict is gone, also for a clock that goes back", () => {
    const cache = new VerdictCache<string>();
    cache.remember("x", verdict);
    assert.equal(cache.find("x", { now: 2001, revisionOf }), undefined);
    assert.equal(cache.find("x", { now: 1500, revisionOf }), undefined);
    assert.equal(cache.size, 0);
  });

  test("a time that is no number finds nothing", () => {
    const cache = new VerdictCache<string>();
    cache.remember("x", verdict);
    assert.equal(cache.find("x", { now: Number.NaN, revisionOf }), undefined);
  });

  test("another revision of the scope, or none, ends the verdict for good", () => {
    for (const other of ["8", undefined]) {
      const cache = new VerdictCache<string>();
      cache.remember("x", verdict);
      assert.equal(cache.find("x", { now: 1500, revisionOf: () => other }), undefined);
      assert.equal(cache.find("x", { now: 1500, revisionOf }), undefined);
    }
  });

  test("the revision of the verdict's own scope is asked for", () => {
    const cache = new VerdictCache<string>();
    cache.remember("x", verdict);
    cache.remember("y", { ...verdict, scope: "b", value: "other" });
    const only = (scope: string): string => (scope === verdict.scope ? "8" : "7");
    assert.equal(cache.find("x", { now: 1500, revisionOf: only }), undefined);
    assert.equal(cache.find("y", { now: 1500, revisionOf: only })?.value, "other");
  });

  test("holds no more than its bound; the oldest goes first", () => {
    const cache = new VerdictCache<string>({ entriesMax: 2 });
    for (const key of ["x", "y", "x", "z"]) cache.remember(key, verdict);
    assert.equal(cache.size, 2);
    assert.equal(cache.find("y", { now: 1500, revisionOf }), undefined);
    assert.ok(cache.find("x", { now: 1500, revisionOf }));
  });

  test("a digest tells order and boundaries of certificates apart", () => {
    const a = Uint8Array.of(1);
    const ab = Uint8Array.of(1, 2);
    const b = Uint8Array.of(2);
    const digests = [[a, b], [b, a], [ab], [a], [], [ab, new Uint8Array(0)]].map(digestChain);
    assert.equal(new Set(digests).size, digests.length);
    assert.equal(digestChain([a, b]), digestChain([a.slice(), b.slice()]));
  });
});
