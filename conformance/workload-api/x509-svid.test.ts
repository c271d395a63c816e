import assert from "node:assert/strict";
import { test } from "node:test";
import { next, openNode, watchSvids } from "./testing.ts";

test("WLA-04 (Workload API §4.3): each message holds the full set", async () => {
  await using node = await openNode();
  await node.entry("/first");
  const stream = watchSvids(node.agt);
  const one = await next(stream);
  assert.deepEqual(
    one.svids.map(({ spiffeId }) => spiffeId),
    ["spiffe://example.org/first"],
  );
  await node.entry("/second");
  const both = await next(stream);
  assert.deepEqual(both.svids.map(({ spiffeId }) => spiffeId).toSorted(), [
    "spiffe://example.org/first",
    "spiffe://example.org/second",
  ]);
  await stream.return();
});
