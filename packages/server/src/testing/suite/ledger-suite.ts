import assert from "node:assert/strict";
import { test } from "node:test";
import { KINDS, leafHash } from "@bonafide/ledger";
import type { Store } from "@bonafide/plugin-api";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { collect, failureOf, openTestServer, wireIdOf } from "../test-server.ts";

/** The ledger as the private socket shows it. */
export function ledgerSuite(name: string, open: () => Promise<Store>): void {
  test(`${name}: every change is a leaf that says who and why, and no secret`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const token = await srv.token("/alias");
    const before = await collect(srv.local(Ledger).log({}));
    assert.ok(before.every(({ body }) => !Buffer.from(body).includes(token)));
    const svid = await srv.join(token);
    await srv.local(Agent).banAgent({ id: wireIdOf(svid) });
    const leaves = await collect(srv.local(Ledger).log({}));
    assert.deepEqual(
      leaves.map(({ position }) => Number(position?.n)),
      leaves.map((_, i) => i + 1),
    );
    for (const { leaf, leafHash: hash } of leaves) {
      assert.deepEqual(new Uint8Array(leafHash(leaf)), hash);
    }
    const ban = leaves.at(-1);
    assert.equal(ban?.kind, KINDS.node);
    assert.equal(ban.naturalKey, svid.id);
    assert.deepEqual(
      [ban.meta?.cause, ban.meta?.actor?.who.case, ban.meta?.actor?.who.value],
      ["BanAgent", "uid", process.getuid?.()],
    );
    const { head } = await srv.local(Ledger).head({});
    assert.equal(head?.n, BigInt(leaves.length));
  });

  test(`${name}: the log is read by kind, by key, by its end, and followed`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const svid = await srv.join();
    await srv.local(Agent).banAgent({ id: wireIdOf(svid) });
    const client = srv.local(Ledger);
    const nodes = await collect(client.log({ kind: KINDS.node, naturalKey: svid.id }));
    assert.equal(nodes.length, 2);
    assert.equal(nodes[1]?.prev, nodes[0]?.position?.n);
    const newest = await collect(client.log({ newest: true, limit: 1n }));
    assert.deepEqual(newest, nodes.slice(1));
    const follow = client.log({ newest: true, limit: 1n, follow: true });
    assert.deepEqual((await follow.next()).value, nodes[1]);
    const pending = follow.next();
    await srv.local(Agent).deleteAgent({ id: wireIdOf(svid) });
    const { value } = await pending;
    assert.equal(value?.meta?.cause, "DeleteAgent");
    await follow.return?.();
    for (const request of [{ naturalKey: "x" }, { kind: 999 }, { newest: true, afterN: 1n }]) {
      assert.equal((await failureOf(collect(client.log(request)))).status, "invalid_argument");
    }
  });

  test(`${name}: a ledger that was only written by the lane verifies`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const svid = await srv.join();
    await srv.local(Agent).deleteAgent({ id: wireIdOf(svid) });
    const report = await srv.local(Ledger).verify({});
    const { head } = await srv.local(Ledger).head({});
    assert.deepEqual(report.head, head);
    assert.deepEqual([report.leaves, report.bodies, report.erased], [head?.n, head?.n, 0n]);
    assert.deepEqual(report.findings, []);
    assert.equal(report.rows, report.objects);
  });

  test(`${name}: the ledger is for the private socket, and there is nothing to accept`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const svid = await srv.join();
    for (const client of [srv.remote(Ledger), srv.remote(Ledger, svid)]) {
      assert.equal((await failureOf(client.head({}))).status, "unimplemented");
    }
    const { code } = await failureOf(srv.local(Ledger).acceptRewind({}));
    assert.equal(code, "LEDGER_NOT_HELD");
  });
}
