import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import process from "node:process";
import { test } from "node:test";
import { WORKLOAD_HEADERS } from "@bonafide/agent/testing";
import { parseCertificates } from "@bonafide/pki";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SpiffeWorkloadAPI } from "@bonafide/proto/workload_pb";
import { RpcError } from "@bonafide/rpc";
import { TD } from "@bonafide/server/testing";
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

test("WLA-13, WLA-14 (Workload API §5.1, §5.2.1): every field is set, in DER without PEM, leaf first, key as PKCS#8", async () => {
  await using node = await openNode();
  await node.entry("/one", { hint: "web" });
  const stream = watchSvids(node.agt);
  const { svids, crl } = await next(stream);
  await stream.return();
  const [svid] = svids;
  assert.ok(svid !== undefined && svids.length === 1);
  assert.deepEqual(crl, []);
  assert.equal(svid.hint, "web");
  const [leaf, ...above] = parseCertificates(svid.x509Svid);
  assert.ok(leaf !== undefined);
  assert.equal(above.length, 0);
  assert.deepEqual(leaf.uris, ["spiffe://example.org/one"]);
  const roots = parseCertificates(svid.bundle);
  assert.deepEqual(
    roots.map(({ der }) => der),
    node.srv.server.bundle().authorities.map(({ der }) => der),
  );
  const key = createPrivateKey({
    key: Buffer.from(svid.x509SvidKey),
    format: "der",
    type: "pkcs8",
  });
  const oracle = new X509Certificate(leaf.der);
  assert.ok(oracle.checkPrivateKey(key));
  assert.ok(oracle.verify(new X509Certificate(roots[0]?.der ?? "").publicKey));
});

test("WLA-15, WLA-32 (Workload API §5.2.1, §8): hints are unique, and the oldest entry stays the default one", async () => {
  await using node = await openNode();
  await node.entry("/old", { hint: "web" });
  await node.entry("/twin", { hint: "web" });
  await node.entry("/plain");
  const seen = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const stream = watchSvids(node.agt);
    const { svids } = await next(stream);
    seen.add(svids.map(({ spiffeId }) => spiffeId).join(" "));
    await stream.return();
  }
  await node.agt.restart();
  const after = watchSvids(node.agt);
  seen.add((await next(after)).svids.map(({ spiffeId }) => spiffeId).join(" "));
  await after.return();
  assert.equal(seen.size, 1, [...seen].join(" | "));
  const [order = ""] = seen;
  assert.equal([...order.matchAll(/\/(old|twin)/g)].length, 1);
  assert.equal(order.split(" ").length, 2);
});

test("WLA-18, WLA-06 (Workload API §5.2.1, §4.3): denied at once, and in mid-stream when the last identity goes", async () => {
  await using node = await openNode();
  const refused = await watchSvids(node.agt)
    .next()
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  assert.ok(refused instanceof RpcError && refused.status === "permission_denied");
  const id = await node.entry("/one");
  const stream = watchSvids(node.agt);
  assert.equal((await next(stream)).svids.length, 1);
  await node.remove(id);
  await assert.rejects(next(stream), { status: "permission_denied", reason: "NO_IDENTITY_ISSUED" });
});

test("WLA-05 (Workload API §4.3): a burst of changes becomes few messages, and nothing is sent while nothing changes", async () => {
  await using node = await openNode();
  await node.entry("/base");
  const stream = watchSvids(node.agt);
  await next(stream);
  // One call, so that the burst does not depend on how fast this machine makes sixty.
  await node.srv.local(Entry).batchCreateEntry({
    entries: Array.from({ length: 60 }, (_, i) => ({
      parentId: { trustDomain: TD, path: node.agentPath },
      spiffeId: { trustDomain: TD, path: `/burst/${i}` },
      selectors: [{ type: "unix", value: `uid:${process.getuid?.() ?? 0}` }],
    })),
  });
  let messages = 0;
  let last = 0;
  while (last < 61) {
    last = (await next(stream)).svids.length;
    messages++;
  }
  assert.equal(last, 61);
  assert.ok(messages <= 30, `${messages} messages`);
  await stream.return();
});

test("WLA-21 (Workload API §5.2.2): the bundles hold the own trust domain, by its ID", async () => {
  await using node = await openNode();
  await node.entry("/one");
  const stream = node.agt
    .workload(SpiffeWorkloadAPI)
    .fetchX509Bundles({}, { headers: WORKLOAD_HEADERS, signal: AbortSignal.timeout(60_000) });
  const { bundles } = await next(stream);
  await stream.return();
  assert.deepEqual(Object.keys(bundles), ["spiffe://example.org"]);
  const der = bundles["spiffe://example.org"] ?? new Uint8Array();
  assert.equal(parseCertificates(der).length, 1);
});

test("WLA-18 (Workload API §5.2.2): bundles are denied to a caller without identity", async () => {
  await using node = await openNode();
  const stream = node.agt
    .workload(SpiffeWorkloadAPI)
    .fetchX509Bundles({}, { headers: WORKLOAD_HEADERS, signal: AbortSignal.timeout(60_000) });
  await assert.rejects(next(stream), { status: "permission_denied" });
});
