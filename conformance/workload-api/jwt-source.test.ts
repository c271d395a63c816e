import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isBonafideError } from "@bonafide/errors";
import { failureOf, TD } from "@bonafide/server/testing";
import { openJwtSource, openWorkloadApi } from "@bonafide/spiffe";
import { type Node, openNode } from "./testing.ts";

const AUDIENCE = "spiffe://example.org/db";
const addressOf = (node: Node): string => `unix://${node.agt.agent.workloadSocket}`;
const opening = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(60_000) });

test("a source shows tokens and judges others', and keeps one until half of its life", async () => {
  await using node = await openNode();
  await node.entry("/web");
  await using source = await openJwtSource({ address: addressOf(node) }, opening());
  const svid = await source.fetch(AUDIENCE);
  assert.equal(svid.id, `spiffe://${TD}/web`);
  assert.equal(await source.fetch(AUDIENCE), svid);
  assert.notEqual((await source.fetch("other")).token, svid.token);
  assert.equal(source.verify(svid.token, { audience: AUDIENCE }).id, svid.id);
  assert.throws(
    () => source.verify(svid.token, { audience: "other" }),
    (error) => isBonafideError(error, "JWT_SVID_UNTRUSTED"),
  );
  assert.deepEqual([...source.bundles().keys()], [TD]);
  await source.close();
  await assert.rejects(source.fetch(AUDIENCE), (e) => isBonafideError(e, "SOURCE_CLOSED"));
});

test("WLA-27 (Workload API §6.3): a client has the Workload API judge a token", async () => {
  await using node = await openNode();
  await node.entry("/web");
  await using client = openWorkloadApi({ address: addressOf(node) });
  const [svid] = await client.fetchJwtSvids(AUDIENCE);
  const token = svid?.token ?? "";
  assert.equal(await client.validateJwtSvid(token, { audience: AUDIENCE }), `spiffe://${TD}/web`);
  const refused = await failureOf(client.validateJwtSvid(token, { audience: "other" }));
  assert.equal(refused.status, "invalid_argument");
  assert.equal((await client.fetchJwtBundles()).get(svid?.trustDomain ?? fail())?.keys.size, 1);
  await assert.rejects(client.fetchJwtSvids([]), TypeError);
});

test("a source goes on through a restart of the agent", async () => {
  await using node = await openNode();
  await node.entry("/web");
  const problems: string[] = [];
  await using source = await openJwtSource(
    { address: addressOf(node), onProblem: ({ code }) => problems.push(code) },
    opening(),
  );
  await node.agt.restart();
  await node.agt.agent.ready(opening());
  for (;;) {
    try {
      const { token } = await source.fetch(`a ${problems.length}`, opening());
      assert.equal(
        source.verify(token, { audience: `a ${problems.length}` }).id,
        `spiffe://${TD}/web`,
      );
      return;
    } catch (error) {
      if (!isBonafideError(error) || !error.retry) throw error;
      await nextTurn();
    }
  }
});

test("no source opens for a process without identity; it says so in time", async () => {
  await using node = await openNode();
  await assert.rejects(
    openJwtSource({ address: addressOf(node) }, { signal: AbortSignal.timeout(8000) }),
    (error) => isBonafideError(error, "NO_IDENTITY_ISSUED"),
  );
});

function fail(): never {
  throw new Error("no token came");
}
