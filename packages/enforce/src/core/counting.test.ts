import assert from "node:assert/strict";
import { test } from "node:test";
import type { DecisionRecord } from "@bonafide/authz";
import { type Edge, EdgeCounters } from "./edge-counters.ts";
import { RecordRing } from "./record-ring.ts";

const edge: Edge = {
  caller: "spiffe://example.org/a",
  onBehalf: false,
  action: "http.GET",
  resource: "payments/v1/x",
  allowed: true,
  reason: "permitted",
  policy: "payments/x",
  shadow: "",
  candidate: "",
};
const at = { now: 5, isDeclared: true };

test("equal calls are one edge, and taking starts anew", () => {
  const counters = new EdgeCounters();
  counters.add(edge, at);
  counters.add({ ...edge }, { now: 6, isDeclared: true });
  counters.add({ ...edge, allowed: false, reason: "no_permit", policy: "" }, at);
  const { edges, ...sums } = counters.take();
  assert.deepEqual(sums, { allowed: 2, denied: 1, undeclared: 0, uncounted: 0 });
  assert.deepEqual(edges[0], { ...edge, count: 2, lastAt: 6 });
  assert.equal(counters.take().edges.length, 0);
});

test("too many callers are folded into one, and no call is lost", () => {
  const counters = new EdgeCounters({ max: 100 });
  for (let caller = 0; caller < 10_000; caller++) {
    const reason = caller % 2 === 0 ? "no_permit" : "forbidden";
    counters.add({ ...edge, caller: `spiffe://example.org/${caller}`, allowed: false, reason }, at);
  }
  assert.equal(counters.size, 102);
  const { edges, denied, uncounted } = counters.take();
  assert.equal(denied, 10_000);
  assert.equal(uncounted, 0);
  assert.equal(
    edges.reduce((sum, { count }) => sum + count, 0),
    10_000,
  );
  const folded = edges.filter(({ caller }) => caller === "*");
  assert.deepEqual(
    folded.map(({ count }) => count),
    [4950, 4950],
  );
});

test("when even the folded edges are too many, calls are still summed", () => {
  const counters = new EdgeCounters({ max: 10 });
  for (let route = 0; route < 1000; route++) {
    counters.add({ ...edge, resource: `payments/${route}` }, at);
  }
  assert.equal(counters.size, 20);
  const { allowed, uncounted, edges } = counters.take();
  assert.equal(allowed, 1000);
  assert.equal(edges.reduce((sum, { count }) => sum + count, 0) + uncounted, 1000);
});

test("a ring keeps the newest records and counts those that it dropped", () => {
  const record: DecisionRecord = {
    id: "",
    at: 0,
    service: "payments",
    caller: edge.caller,
    tls: true,
    allowed: false,
    reason: "no_permit",
    edges: [],
  };
  const ring = new RecordRing({ max: 3 });
  for (let id = 0; id < 8; id++) ring.add({ ...record, id: String(id) });
  const { records, dropped } = ring.take();
  assert.deepEqual(
    records.map(({ id }) => id),
    ["5", "6", "7"],
  );
  assert.equal(dropped, 5);
  assert.deepEqual(ring.take(), { records: [], dropped: 0 });
  const none = new RecordRing({ max: 0 });
  none.add(record);
  assert.deepEqual(none.take(), { records: [], dropped: 1 });
});
