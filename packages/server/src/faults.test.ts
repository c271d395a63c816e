import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createListener } from "node:net";
import { test } from "node:test";
import { type Clock, systemClock } from "@bonafide/lifetime";
import { generateKey } from "@bonafide/pki";
import type { Store } from "@bonafide/plugin-api";
import { openMemoryStore } from "@bonafide/plugin-api/testing";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { NodeSync } from "@bonafide/proto/bonafide/sync/v1/sync_pb";
import { Health } from "@bonafide/proto/grpc/health/v1/health_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import type { ServerOptions } from "./server-options.ts";
import { collect, csrOf, failureOf, openTestServer, TD, wireIdOf } from "./testing/test-server.ts";

const HOUR = 3_600_000;
const UNAVAILABLE = 14;

function entryOf(svid: Parameters<typeof wireIdOf>[0], path: string) {
  return {
    parentId: wireIdOf(svid),
    spiffeId: { trustDomain: TD, path },
    selectors: [{ type: "unix", value: "uid:1" }],
  };
}

test("while the store refuses writes, nodes renew, sync and get SVIDs; writes say come again", async () => {
  const store = openMemoryStore();
  await using srv = await openTestServer({ store });
  const svid = await srv.join();
  const token = await srv.token();
  const { results } = await srv.local(Entry).batchCreateEntry({ entries: [entryOf(svid, "/a")] });
  store.database.readOnly = true;

  const csr = csrOf(generateKey("ec-p256"));
  assert.ok((await srv.remote(Agent, svid).renewAgent({ params: { csr } })).svid);
  const signed = await srv
    .remote(SVID, svid)
    .batchNewX509SVID({ params: [{ entryId: results[0]?.entry?.id ?? "", csr }] });
  assert.equal(signed.results[0]?.status?.code, 0);
  const stream = srv.remote(NodeSync, svid).watch({});
  assert.equal((await stream.next()).done, false);

  const refused = await srv.local(Entry).batchCreateEntry({ entries: [entryOf(svid, "/b")] });
  assert.equal(refused.results[0]?.status?.code, UNAVAILABLE);
  for (const call of [
    () => srv.join(token),
    () => srv.local(Agent).createJoinToken({ ttl: 60 }),
    () => srv.local(Agent).banAgent({ id: wireIdOf(svid) }),
  ]) {
    const { status, code, error } = await failureOf(call());
    assert.deepEqual([status, code, error.retry], ["unavailable", "STORE_READ_ONLY", true]);
    assert.ok((error.retryAfterMs ?? 0) > 0);
  }
  store.database.readOnly = false;
  assert.ok((await srv.join(token)).id !== "");
});

test("nothing is issued from a picture older than max_staleness, and streams end", async () => {
  let jumped = 0;
  const clock: Clock = {
    ...systemClock,
    monotonicMs: () => systemClock.monotonicMs() + jumped,
  };
  const inner = openMemoryStore();
  let isGone = false;
  const head = async (): ReturnType<Store["ledger"]["head"]> => {
    if (isGone) throw new Error("gone");
    return inner.ledger.head();
  };
  const store: Store = { ...inner, ledger: { ...inner.ledger, head } };
  await using srv = await openTestServer({ store, clock });
  const svid = await srv.join();
  const token = await srv.token();
  const {
    results: [made],
  } = await srv.local(Entry).batchCreateEntry({ entries: [entryOf(svid, "/a")] });
  isGone = true;
  const csr = csrOf(generateKey("ec-p256"));
  jumped = HOUR - 60_000;
  await srv.remote(Agent, svid).renewAgent({ params: { csr } });
  jumped = HOUR + 1;
  const signed = await srv
    .remote(SVID, svid)
    .batchNewX509SVID({ params: [{ entryId: made?.entry?.id ?? "", csr }] });
  assert.equal(signed.results[0]?.status?.code, UNAVAILABLE);
  for (const call of [
    () => srv.remote(Agent, svid).renewAgent({ params: { csr } }),
    () => srv.remote(Entry, svid).getAuthorizedEntries({}),
    () => collect(srv.remote(NodeSync, svid).watch({})),
    () => srv.join(token),
  ]) {
    const { status, code } = await failureOf(call());
    assert.deepEqual([status, code], ["unavailable", "STORE_STALE"]);
  }
});

test("a ban is felt on open connections, and by the old SVID after unbanning", async () => {
  await using srv = await openTestServer();
  const svid = await srv.join();
  const agent = srv.remote(Agent, svid);
  await agent.postStatus({});
  await srv.local(Agent).banAgent({ id: wireIdOf(svid) });
  assert.equal((await failureOf(agent.postStatus({}))).code, "AGENT_BANNED");
  await srv.local(Agent).deleteAgent({ id: wireIdOf(svid) });
  assert.equal((await failureOf(agent.postStatus({}))).code, "AGENT_NOT_ATTESTED");
});

test("nodes, entries and authorities outlive a restart, and old certificates go on", async () => {
  const store = openMemoryStore();
  await using srv = await openTestServer({ store });
  const svid = await srv.join();
  await srv.local(Entry).batchCreateEntry({ entries: [entryOf(svid, "/a")] });
  const before = srv.server.bundle().revision;
  await srv.restart();
  assert.equal(srv.server.bundle().revision, before);
  const { entries } = await srv.remote(Entry, svid).getAuthorizedEntries({});
  assert.equal(entries.length, 1);
  assert.equal((await srv.local(Health).check({})).status, 1);
});

test("one node's flood of calls is told when to come again, another's calls go on", async () => {
  await using srv = await openTestServer({
    options: { nodeRate: { perSecond: 0.001, burst: 2 } },
  });
  const [loud, quiet] = [await srv.join(), await srv.join()];
  const client = srv.remote(Entry, loud);
  await client.getAuthorizedEntries({});
  await client.getAuthorizedEntries({});
  const { status, code, error } = await failureOf(client.getAuthorizedEntries({}));
  assert.deepEqual([status, code], ["resource_exhausted", "OVERLOADED"]);
  assert.ok((error.retryAfterMs ?? 0) > 0);
  await srv.remote(Entry, quiet).getAuthorizedEntries({});
});

test("after its key is lost, a server makes a new authority and says so", async () => {
  const store = openMemoryStore();
  {
    await using first = await openTestServer({
      store: { ...store, close: () => Promise.resolve() },
    });
    await first.join();
  }
  await using second = await openTestServer({ store });
  assert.equal(second.server.bundle().authorities.length, 2);
  await second.join();
});

test("a server on another database serves what it remembers, writes nothing, and asks its operator", async () => {
  await using srv = await openTestServer({ isBlind: true });
  const svid = await srv.join();
  const old = srv.store;
  await srv.restart({}, () => Promise.resolve(openMemoryStore()));
  await old.close();
  const held = await srv.local(Ledger).head({});
  assert.notEqual(held.heldReason, "");
  assert.notEqual(held.heldMessage, "");
  const csr = csrOf(generateKey("ec-p256"));
  await srv.remote(Agent, svid).renewAgent({ params: { csr } });
  const { status, code } = await failureOf(srv.local(Agent).createJoinToken({ ttl: 60 }));
  assert.deepEqual([status, code], ["failed_precondition", "LEDGER_HELD"]);

  await srv.local(Ledger).acceptRewind({});
  assert.equal((await srv.local(Ledger).head({})).heldReason, "");
  assert.equal(
    (await failureOf(srv.remote(Agent, svid).postStatus({}))).code,
    "CALLER_CERTIFICATE_REFUSED",
  );
  assert.notEqual((await srv.join()).id, svid.id);
});

test("a start that cannot listen leaves the ledger as it was", async () => {
  const taken = createListener();
  taken.listen({ host: "127.0.0.1", port: 0 });
  await once(taken, "listening");
  const address = taken.address();
  assert.ok(typeof address === "object" && address !== null);
  const starts: readonly [Partial<ServerOptions>, object][] = [
    [{ port: address.port }, { code: "EADDRINUSE" }],
    [{ host: "192.0.2.1" }, { code: "EADDRNOTAVAIL" }],
    [{ adminSocketPath: `/tmp/${"x".repeat(200)}` }, { code: "SOCKET_PATH_TOO_LONG" }],
  ];
  for (const [options, expected] of starts) {
    const store = openMemoryStore();
    await assert.rejects(openTestServer({ store, options }), expected);
    assert.equal((await store.ledger.head()).n, 0);
    await store.close();
  }
  taken.close();
  await once(taken, "close");
});
