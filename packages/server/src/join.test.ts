import assert from "node:assert/strict";
import { test } from "node:test";
import { generateKey, parseCertificate } from "@bonafide/pki";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { collect, csrOf, failureOf, openTestServer, TD } from "./testing/test-server.ts";

test("a node joins with a token, syncs its entries and gets an SVID for one of them", async () => {
  await using srv = await openTestServer();
  const { x509Authorities } = await srv.remote(Bundle).getBundle({});
  assert.equal(x509Authorities.length, 1);
  const svid = await srv.join();
  const path = svid.id.slice(`spiffe://${TD}`.length);
  const { results } = await srv.local(Entry).batchCreateEntry({
    entries: [
      {
        parentId: { trustDomain: TD, path },
        spiffeId: { trustDomain: TD, path: "/greeter" },
        selectors: [{ type: "unix", value: "uid:1" }],
        dnsNames: ["greeter.local"],
      },
    ],
  });
  assert.equal(results[0]?.status?.code, 0);
  const mask = { spiffeId: true, selectors: true, revisionNumber: true };
  const [sync] = await collect(
    srv.remote(Entry, svid).syncAuthorizedEntries(once({ outputMask: mask })),
  );
  assert.equal(sync?.entries.length, 1);
  assert.equal(sync.more, false);
  const id = sync.entries[0]?.id ?? "";
  const key = generateKey("ec-p256");
  const signed = await srv.remote(SVID, svid).batchNewX509SVID({
    params: [
      { entryId: id, csr: csrOf(key) },
      { entryId: "nobody", csr: csrOf(key) },
      { entryId: id, csr: new Uint8Array([1]) },
    ],
  });
  assert.deepEqual(
    signed.results.map(({ status }) => status?.code),
    [0, 5, 3],
  );
  const leaf = parseCertificate(signed.results[0]?.svid?.certChain[0] ?? new Uint8Array());
  assert.deepEqual(leaf.uris, [`spiffe://${TD}/greeter`]);
  assert.deepEqual(leaf.dnsNames, ["greeter.local"]);
});

test("a caller without a certificate, or with a member's, is no agent", async () => {
  await using srv = await openTestServer();
  const nobody = await failureOf(srv.remote(SVID).batchNewX509SVID({}));
  assert.equal(nobody.status, "permission_denied");
  assert.equal(nobody.code, "AGENT_REQUIRED");
  const list = await failureOf(srv.remote(Agent).listAgents({}));
  assert.equal(list.code, "ADMIN_REQUIRED");
});

async function* once<T>(value: T): AsyncGenerator<T, void, void> {
  yield value;
}
