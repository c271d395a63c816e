import assert from "node:assert/strict";
import { test } from "node:test";
import { generateKey } from "@bonafide/pki";
import { NodeSync, UpdateKind, type WatchResponse } from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import {
  BatchDeleteFederatedBundleRequest_Mode,
  Bundle,
} from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { PermissionDeniedDetailsSchema } from "@bonafide/proto/spire/api/types/status_pb";
import { digestOf } from "./api/node-sync.ts";
import {
  collect,
  failureOf,
  openTestServer,
  TD,
  type TestServer,
  type TestSvid,
} from "./testing/test-server.ts";

test("a push stream brings the whole picture, then each change, and ends at once on ban", async () => {
  await using srv = await openTestServer();
  const svid = await srv.join();
  await createEntries(srv, svid, ["/a", "/b"]);
  const stream = srv.remote(NodeSync, svid).watch({ agentVersion: "1" });
  const full = await next(stream);
  assert.equal(full.kind, UpdateKind.FULL);
  assert.equal(full.entries.length, 2);
  assert.equal(full.bundle?.x509Authorities.length, 1);
  assert.equal(full.more, false);
  const numbers = new Map(full.entries.map((e) => [e.id, Number(e.revisionNumber)]));
  assert.deepEqual(full.entriesDigest, digestOf(numbers));

  const [created] = await createEntries(srv, svid, ["/c"]);
  const put = await next(stream);
  assert.equal(put.kind, UpdateKind.DELTA);
  assert.deepEqual(
    put.entries.map((e) => e.spiffeId?.path),
    ["/c"],
  );
  assert.ok(put.revision > full.revision);
  assert.equal(put.bundle, undefined);

  await srv.local(Entry).batchDeleteEntry({ ids: [created ?? ""] });
  const removed = await next(stream);
  assert.deepEqual(removed.removedEntryIds, [created]);
  assert.deepEqual(removed.entriesDigest, full.entriesDigest);

  await srv.local(Agent).banAgent({ id: wireId(svid) });
  const { status, code, error } = await failureOf(next(stream));
  assert.equal(status, "permission_denied");
  assert.equal(code, "AGENT_BANNED");
  assert.equal(error.detail(PermissionDeniedDetailsSchema)?.reason, 4);
});

test("an agent that holds the newest picture is told that nothing changed", async () => {
  await using srv = await openTestServer();
  const svid = await srv.join();
  await createEntries(srv, svid, ["/a"]);
  const full = await next(srv.remote(NodeSync, svid).watch({}));
  const again = await next(
    srv.remote(NodeSync, svid).watch({
      held: full.state,
      entriesDigest: full.entriesDigest,
      bundleSequenceNumber: full.bundle?.sequenceNumber ?? 0n,
    }),
  );
  assert.equal(again.kind, UpdateKind.UNCHANGED);
  assert.deepEqual(again.state, full.state);
  const other = await next(
    srv.remote(NodeSync, svid).watch({
      held: full.state,
      entriesDigest: new Uint8Array(32),
      bundleSequenceNumber: full.bundle?.sequenceNumber ?? 0n,
    }),
  );
  assert.equal(other.kind, UpdateKind.FULL);
});

test("FED-09, FED-14 (Federation §4.2, §5.1): foreign bundles of a node's entries come by name, change by change, never in one message too many", async () => {
  await using srv = await openTestServer();
  const svid = await srv.join();
  const names = Array.from({ length: 6 }, (_, i) => `d${i}.org`);
  // Each near the largest there may be: all six in one message would be refused by the transport.
  const { spki } = generateKey("ec-p256");
  const keys = Array.from({ length: 128 }, (_, i) => ({
    keyId: `${i}${"k".repeat(1700)}`,
    publicKey: spki,
  }));
  const { results } = await srv.local(Bundle).batchSetFederatedBundle({
    bundle: names.map((trustDomain) => ({ trustDomain, jwtAuthorities: keys })),
  });
  assert.deepEqual(new Set(results.map(({ status }) => status?.code)), new Set([0]));
  await createEntries(srv, svid, ["/a"], names);
  const stream = srv.remote(NodeSync, svid).watch({});
  const got: string[] = [];
  let messages = 0;
  for (let more = true; more; messages++) {
    const message = await next(stream);
    more = message.more;
    got.push(...message.federatedBundles.map(({ trustDomain }) => trustDomain));
  }
  assert.deepEqual(got.toSorted(), names);
  assert.ok(messages > 1);

  await srv.local(Bundle).batchSetFederatedBundle({
    bundle: [{ trustDomain: "d1.org", jwtAuthorities: keys.slice(0, 1) }],
  });
  const changed = await next(stream);
  assert.deepEqual(
    changed.federatedBundles.map((b) => [b.trustDomain, b.jwtAuthorities.length]),
    [["d1.org", 1]],
  );
  await srv.local(Bundle).batchDeleteFederatedBundle({
    trustDomains: ["d2.org"],
    mode: BatchDeleteFederatedBundleRequest_Mode.DISSOCIATE,
  });
  const removed = await next(stream);
  assert.deepEqual([removed.removedTrustDomains, removed.entries.length], [["d2.org"], 1]);
});

test("more than 500 entries come in chunks, the last with the digest", async () => {
  await using srv = await openTestServer();
  const svid = await srv.join();
  const paths = Array.from({ length: 1100 }, (_, i) => `/w${i}`);
  await createEntries(srv, svid, paths.slice(0, 1000));
  await createEntries(srv, svid, paths.slice(1000));
  const chunks: WatchResponse[] = [];
  for await (const chunk of srv.remote(NodeSync, svid).watch({})) {
    chunks.push(chunk);
    if (!chunk.more) break;
  }
  assert.deepEqual(
    chunks.map(({ entries, entriesDigest }) => [entries.length, entriesDigest.length]),
    [
      [500, 0],
      [500, 0],
      [100, 32],
    ],
  );
  assert.equal(new Set(chunks.flatMap((c) => c.entries.map((e) => e.id))).size, 1100);
});

test("an agent that has seen more than this server is asked to come again", async () => {
  await using srv = await openTestServer();
  const svid = await srv.join();
  const held = { epoch: 4096, n: 1n, root: new Uint8Array(32) };
  const { status, code } = await failureOf(next(srv.remote(NodeSync, svid).watch({ held })));
  assert.equal(status, "unavailable");
  assert.equal(code, "STATE_AHEAD");
});

test("a change of another node's entries does not reach the stream", async () => {
  await using srv = await openTestServer();
  const [mine, other] = [await srv.join(), await srv.join()];
  const stream = srv.remote(NodeSync, mine).watch({});
  await next(stream);
  await createEntries(srv, other, ["/other"]);
  await createEntries(srv, mine, ["/mine"]);
  const delta = await next(stream);
  assert.deepEqual(
    delta.entries.map((e) => e.spiffeId?.path),
    ["/mine"],
  );
});

test("a fifth stream of one node takes the place of its first", async () => {
  await using srv = await openTestServer();
  const svid = await srv.join();
  const streams = Array.from({ length: 5 }, () => srv.remote(NodeSync, svid).watch({}));
  for (const stream of streams) await next(stream);
  const [first, ...rest] = streams;
  assert.equal((await first?.next())?.done, true);
  await createEntries(srv, svid, ["/a"]);
  for (const stream of rest) assert.equal((await next(stream)).entries.length, 1);
});

test("a closing server ends its streams without an error", async () => {
  await using srv = await openTestServer();
  const svid = await srv.join();
  const stream = srv.remote(NodeSync, svid).watch({});
  await next(stream);
  const rest = collect(stream);
  await srv.server.close();
  assert.deepEqual(await rest, []);
});

function wireId(svid: TestSvid): { trustDomain: string; path: string } {
  return { trustDomain: TD, path: svid.id.slice(`spiffe://${TD}`.length) };
}

async function createEntries(
  srv: TestServer,
  svid: TestSvid,
  paths: readonly string[],
  federatesWith: readonly string[] = [],
): Promise<string[]> {
  const { results } = await srv.local(Entry).batchCreateEntry({
    entries: paths.map((path) => ({
      parentId: wireId(svid),
      spiffeId: { trustDomain: TD, path },
      selectors: [{ type: "unix", value: `path:${path}` }],
      federatesWith: [...federatesWith],
    })),
  });
  for (const { status } of results) assert.equal(status?.code, 0, status?.message ?? "");
  return results.map(({ entry }) => entry?.id ?? "");
}

async function next<T>(stream: AsyncIterator<T, void>): Promise<T> {
  const { done, value } = await stream.next();
  if (done === true || value === undefined) throw new Error("the stream ended");
  return value;
}
