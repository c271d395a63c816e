import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSpiffeId } from "@bonafide/spiffe";
import { assembleIdentities, federatedDomains } from "./assembly.ts";
import { judgeSkew } from "./clock-skew.ts";
import { diffEntries, planEntrySync } from "./entry-diff.ts";
import type { Entry } from "./entry.ts";
import { planRotation, rotationReason } from "./rotation.ts";

function entry(id: string, more: Partial<Entry> = {}): Entry {
  return {
    id,
    spiffeId: parseSpiffeId(`spiffe://example.org/${id}`),
    selectors: [{ type: "unix", value: "uid:1" }],
    federatesWith: [],
    hint: "",
    revision: 0n,
    createdAt: 0n,
    expiresAt: 0n,
    admin: false,
    downstream: false,
    storeSvid: false,
    jwtSvidIncludeJti: false,
    ...more,
  };
}

const HOUR = 3_600_000;

test("a fresh SVID is renewed at half of its life, 5 % earlier or later", () => {
  const validity = { notBefore: -10_000, notAfter: HOUR };
  const received = { receivedAt: 0, now: 0, monotonicMs: 500 };
  const early = planRotation(validity, { ...received, fraction: 0 });
  const late = planRotation(validity, { ...received, fraction: 1 });
  assert.equal(early.renewAtMs, 500 + 0.45 * HOUR);
  assert.equal(late.renewAtMs, 500 + 0.55 * HOUR);
  assert.equal(early.expiresAtMs, 500 + HOUR);
});

test("backdating does not bring a short SVID's half life into the past", () => {
  const plan = planRotation(
    { notBefore: 90_000, notAfter: 102_000 },
    { receivedAt: 100_000, now: 100_000, monotonicMs: 0, fraction: 0.5 },
  );
  assert.deepEqual(plan, { renewAtMs: 1000, expiresAtMs: 2000 });
});

test("an SVID read back from disk keeps its place in its life", () => {
  const plan = planRotation(
    { notBefore: 0, notAfter: HOUR },
    { receivedAt: 0, now: 0.75 * HOUR, monotonicMs: 0, fraction: 0.5 },
  );
  assert.deepEqual(plan, { renewAtMs: 0, expiresAtMs: 0.25 * HOUR });
});

test("an expired SVID is due and over at once, a receipt in the future is not believed", () => {
  assert.deepEqual(
    planRotation(
      { notBefore: 0, notAfter: HOUR },
      { receivedAt: 9 * HOUR, now: 2 * HOUR, monotonicMs: 7, fraction: 0.5 },
    ),
    { renewAtMs: 7, expiresAtMs: 7 },
  );
});

test("an SVID that ended before it came, by a clock that runs ahead, has its whole life", () => {
  const validity = { notBefore: 0, notAfter: 70_000 };
  const receivedAt = 110_000;
  const ahead = { receivedAt, monotonicMs: 0, fraction: 0.5 };
  assert.deepEqual(planRotation(validity, { ...ahead, now: receivedAt }), {
    renewAtMs: 30_000,
    expiresAtMs: 60_000,
  });
  // Read from disk half a minute later, by the same clock, it has half of it.
  const later = planRotation(validity, { ...ahead, now: receivedAt + 30_000 });
  assert.deepEqual(later, { renewAtMs: 0, expiresAtMs: 30_000 });
  // A clock that was set since says nothing of the time that passed.
  const since = planRotation(validity, { ...ahead, now: 80_000 });
  assert.deepEqual(since, { renewAtMs: 0, expiresAtMs: 0 });
});

test("an SVID is replaced for a changed entry, a lost authority, its end and its half life", () => {
  const held = {
    revision: 1n,
    createdAt: 5n,
    plan: { renewAtMs: 100, expiresAtMs: 200 },
    replaceAtMs: Number.POSITIVE_INFINITY,
  };
  const same = { revision: 1n, createdAt: 5n };
  assert.equal(rotationReason(held, same, 99), "none");
  assert.equal(rotationReason(held, same, 100), "half_life");
  assert.equal(rotationReason(held, same, 200), "expired");
  assert.equal(rotationReason(held, { ...same, revision: 2n }, 0), "entry_changed");
  assert.equal(rotationReason(held, { ...same, createdAt: 6n }, 0), "entry_changed");
  assert.equal(rotationReason({ ...held, replaceAtMs: 50 }, same, 49), "none");
  assert.equal(rotationReason({ ...held, replaceAtMs: 50 }, same, 50), "authority_gone");
});

test("WLA-32 (Workload API §8): the oldest entry is the default identity, whatever the order", () => {
  const a = entry("a", { createdAt: 2n });
  const b = entry("b", { createdAt: 1n });
  const c = entry("c", { createdAt: 2n });
  for (const order of [
    [a, b, c],
    [c, b, a],
    [b, a, c],
  ]) {
    assert.deepEqual(
      assembleIdentities(order).map(({ id }) => id),
      ["b", "a", "c"],
    );
  }
});

test("WLA-15 (Workload API §5.2.1): of two entries with one hint the older is sent", () => {
  const old = entry("z", { hint: "web", createdAt: 1n });
  const young = entry("a", { hint: "web", createdAt: 2n });
  const twin = entry("b", { hint: "web", createdAt: 1n });
  const plain = [entry("p"), entry("q")];
  assert.deepEqual(
    assembleIdentities([young, old, twin, ...plain]).map(({ id }) => id),
    ["p", "q", "b"],
  );
});

test("entries for secret stores are nobody's identity on the socket", () => {
  assert.deepEqual(assembleIdentities([entry("a", { storeSvid: true })]), []);
});

test("federated domains are those of the caller's entries, each once", () => {
  assert.deepEqual(
    federatedDomains([
      entry("a", { federatesWith: ["two.test", "one.test"] }),
      entry("b", { federatesWith: ["one.test"] }),
    ]),
    ["one.test", "two.test"],
  );
});

test("a sync fetches what is new, changed or recreated, and drops what is gone", () => {
  const held = [
    { id: "same", revision: 1n, createdAt: 1n },
    { id: "changed", revision: 1n, createdAt: 1n },
    { id: "recreated", revision: 0n, createdAt: 1n },
    { id: "gone", revision: 0n, createdAt: 1n },
  ];
  const listed = [
    { id: "same", revision: 1n, createdAt: 1n },
    { id: "changed", revision: 2n, createdAt: 1n },
    { id: "recreated", revision: 0n, createdAt: 2n },
    { id: "new", revision: 0n, createdAt: 1n },
  ];
  assert.deepEqual(planEntrySync(held, listed), {
    fetchIds: ["changed", "recreated", "new"],
    removedIds: ["gone"],
  });
});

test("a whole set becomes the change from what is held", () => {
  const before = [entry("a"), entry("b")];
  const after = [entry("b", { revision: 1n }), entry("c")];
  const changes = diffEntries(before, after);
  assert.deepEqual(changes.removedIds, ["a"]);
  assert.deepEqual(
    changes.upserts.map(({ id }) => id),
    ["b", "c"],
  );
  assert.deepEqual(diffEntries(after, after), { upserts: [], removedIds: [] });
});

/** A measurement by a clock that is `offset` ms ahead. */
function at(offset: number): { sentAt: number; receivedAt: number; serverTime: number } {
  return { sentAt: 1000 + offset, receivedAt: 1500 + offset, serverTime: 1200 };
}

test("a clock within the round trip is right, and each threshold acts beyond itself", () => {
  assert.deepEqual(judgeSkew(at(0)), { kind: "ok", offsetMs: 0 });
  assert.deepEqual(judgeSkew(at(30_200)), { kind: "ok", offsetMs: 30_000 });
  assert.deepEqual(judgeSkew(at(30_201)), { kind: "warn", offsetMs: 30_001 });
  assert.deepEqual(judgeSkew(at(-30_301)), { kind: "warn", offsetMs: -30_001 });
  assert.equal(judgeSkew(at(300_200)).kind, "warn");
  assert.equal(judgeSkew(at(300_201)).kind, "refuse");
  assert.equal(judgeSkew(at(-300_301)).kind, "refuse");
});
