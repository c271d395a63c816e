import assert from "node:assert/strict";
import { test } from "node:test";
import { generateKey, parseCertificate } from "@bonafide/pki";
import type { Store } from "@bonafide/plugin-api";
import { Health } from "@bonafide/proto/grpc/health/v1/health_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { csrOf, failureOf, openTestServer, TD, wireIdOf } from "../test-server.ts";

/** What is signed for whom, and what is not served. */
export function svidSuite(name: string, open: () => Promise<Store>): void {
  test(`${name}: SVIDs are signed for the node's own entries only, in order, each with a status`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const [mine, other] = [await srv.join(), await srv.join()];
    const { results: made } = await srv.local(Entry).batchCreateEntry({
      entries: [mine, other].map((svid, i) => ({
        parentId: wireIdOf(svid),
        spiffeId: { trustDomain: TD, path: `/w${i}` },
        selectors: [{ type: "unix", value: "uid:1" }],
        x509SvidTtl: 60,
        hint: "h",
      })),
    });
    const [own, foreign] = made.map(({ entry }) => entry?.id ?? "");
    const csr = csrOf(generateKey("ec-p256"));
    const broken = Uint8Array.from(csr);
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    const { results } = await srv.remote(SVID, mine).batchNewX509SVID({
      params: [
        { entryId: foreign ?? "", csr },
        { entryId: own ?? "", csr },
        { entryId: "", csr },
        { entryId: own ?? "" },
        { entryId: own ?? "", csr: broken },
        { entryId: "x", csr },
      ],
    });
    assert.deepEqual(
      results.map(({ status }) => status?.code),
      [5, 0, 3, 3, 3, 5],
    );
    const svid = results[1]?.svid;
    assert.equal(svid?.hint, "h");
    const leaf = parseCertificate(svid.certChain[0] ?? new Uint8Array());
    assert.equal(Number(svid.expiresAt) * 1000, leaf.notAfter);
    assert.ok(leaf.notAfter - leaf.notBefore <= 71_000);
    assert.deepEqual(leaf.extendedKeyUsage?.length, 2);
    const nothing = await failureOf(srv.remote(SVID, mine).batchNewX509SVID({}));
    assert.equal(nothing.status, "invalid_argument");
    const params = Array.from({ length: 501 }, () => ({ entryId: "x", csr }));
    const much = await failureOf(srv.remote(SVID, mine).batchNewX509SVID({ params }));
    assert.equal(much.status, "resource_exhausted");
  });

  test(`${name}: anybody may have the bundle, through a mask`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const whole = await srv.remote(Bundle).getBundle({});
    assert.equal(whole.trustDomain, TD);
    assert.deepEqual((await srv.local(Bundle).countBundles({})).count, 1);
    assert.ok(whole.sequenceNumber > 0n);
    const masked = await srv.remote(Bundle).getBundle({ outputMask: { refreshHint: true } });
    assert.deepEqual([masked.trustDomain, masked.x509Authorities.length], [TD, 0]);
    const root = parseCertificate(whole.x509Authorities[0]?.asn1 ?? new Uint8Array());
    assert.deepEqual(root.uris, [`spiffe://${TD}`]);
    assert.equal(root.isAuthority, true);
  });

  test(`${name}: what is not built yet answers UNIMPLEMENTED; health is for the private socket`, async () => {
    await using srv = await openTestServer({ store: await open() });
    for (const call of [
      () => srv.local(SVID).mintWITSVID({}),
      () => srv.remote(Health).check({}),
    ]) {
      assert.equal((await failureOf(call())).status, "unimplemented");
    }
    assert.equal((await srv.local(Health).check({})).status, 1);
  });

  test(`${name}: a workload's SVID, or a forged one, makes nobody an agent`, async () => {
    await using srv = await openTestServer({ store: await open() });
    const node = await srv.join();
    const { results } = await srv.local(Entry).batchCreateEntry({
      entries: [
        {
          parentId: wireIdOf(node),
          spiffeId: { trustDomain: TD, path: "/w" },
          selectors: [{ type: "unix", value: "uid:1" }],
        },
      ],
    });
    const key = generateKey("ec-p256");
    const { results: signed } = await srv.remote(SVID, node).batchNewX509SVID({
      params: [{ entryId: results[0]?.entry?.id ?? "", csr: csrOf(key) }],
    });
    const workload = {
      id: "",
      chain: signed[0]?.svid?.certChain ?? [],
      privateKey: key.privateKey,
    };
    const member = await failureOf(srv.remote(SVID, workload).batchNewX509SVID({}));
    assert.deepEqual([member.status, member.code], ["permission_denied", "AGENT_REQUIRED"]);
    await using elsewhere = await openTestServer();
    const forged = await elsewhere.join();
    const refused = await failureOf(srv.remote(Bundle, forged).getBundle({}));
    assert.deepEqual(
      [refused.status, refused.code],
      ["unauthenticated", "CALLER_CERTIFICATE_REFUSED"],
    );
  });

  test(`${name}: an administrator's ID holds everything, and its entry may be written by one only`, async () => {
    const adminId = `spiffe://${TD}/ops`;
    await using srv = await openTestServer({
      store: await open(),
      options: { adminIds: [adminId] },
    });
    const node = await srv.join();
    const { results } = await srv.local(Entry).batchCreateEntry({
      entries: [
        {
          parentId: wireIdOf(node),
          spiffeId: { trustDomain: TD, path: "/ops" },
          selectors: [{ type: "unix", value: "uid:1" }],
        },
      ],
    });
    const key = generateKey("ec-p256");
    const { results: signed } = await srv.remote(SVID, node).batchNewX509SVID({
      params: [{ entryId: results[0]?.entry?.id ?? "", csr: csrOf(key) }],
    });
    const admin = { id: adminId, chain: signed[0]?.svid?.certChain ?? [], ...key };
    const { entries } = await srv.remote(Entry, admin).listEntries({});
    assert.equal(entries.length, 1);
    const asAgent = await failureOf(srv.remote(Entry, admin).getAuthorizedEntries({}));
    assert.equal(asAgent.code, "AGENT_REQUIRED");
  });
}
