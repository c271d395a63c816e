import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "@bonafide/lifetime";
import { generateKey, parseCertificate } from "@bonafide/pki";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import { csrOf, openTestServer, TD, type TestServer, wireIdOf } from "./testing/test-server.ts";

const DAY = 86_400_000;

async function rootOf(srv: TestServer): Promise<ReturnType<typeof parseCertificate>> {
  const { x509Authorities } = await srv.remote(Bundle).getBundle({});
  return parseCertificate(x509Authorities[0]?.asn1 ?? new Uint8Array());
}

test("SID-17, SID-18 (SPIFFE-ID §3.1): the signing authority has an ID of its own, in its trust domain, without a path", async () => {
  await using srv = await openTestServer();
  const root = await rootOf(srv);
  assert.equal(root.isAuthority, true);
  assert.deepEqual(root.uris, [`spiffe://${TD}`]);
});

test("X509-04 (X509-SVID §3.1): no leaf is issued for an ID without a path", async () => {
  await using srv = await openTestServer();
  const node = await srv.join();
  const { results } = await srv.local(Entry).batchCreateEntry({
    entries: ["", "/"].map((path) => ({
      parentId: wireIdOf(node),
      spiffeId: { trustDomain: TD, path },
      selectors: [{ type: "unix", value: "uid:1" }],
    })),
  });
  assert.deepEqual(
    results.map(({ status }) => status?.code),
    [3, 3],
  );
  const leaf = parseCertificate(node.chain[0] ?? new Uint8Array());
  assert.match(leaf.uris[0] ?? "", /^spiffe:\/\/example\.org\/./);
});

test("X509-08 (X509-SVID §3.2): the signing certificate's ID lies in the trust domain of its leaves", async () => {
  await using srv = await openTestServer();
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
  const { results: signed } = await srv.remote(SVID, node).batchNewX509SVID({
    params: [{ entryId: results[0]?.entry?.id ?? "", csr: csrOf(generateKey("ec-p256")) }],
  });
  const leaf = parseCertificate(signed[0]?.svid?.certChain[0] ?? new Uint8Array());
  const root = await rootOf(srv);
  assert.deepEqual(leaf.authorityKeyId, root.subjectKeyId);
  assert.ok(leaf.uris[0]?.startsWith(`${root.uris[0] ?? ""}/`));
});

test("BND-07 (Trust Domain and Bundle §4.1.1): the sequence number rises with every change of the bundle, and never falls", async () => {
  let offset = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + offset };
  await using srv = await openTestServer({ clock, isBlind: true });
  let before = await srv.remote(Bundle).getBundle({});
  let changes = 0;
  for (let hours = 0; hours < 10 * 24; hours += 12) {
    offset += DAY / 2;
    await srv.restart();
    await srv.token();
    const now = await srv.remote(Bundle).getBundle({});
    const isSame =
      now.x509Authorities.length === before.x509Authorities.length &&
      now.x509Authorities.every(
        ({ asn1 }, i) => Buffer.compare(asn1, before.x509Authorities[i]?.asn1 ?? asn1) === 0,
      );
    if (!isSame) {
      changes++;
      assert.ok(now.sequenceNumber > before.sequenceNumber);
    }
    assert.ok(now.sequenceNumber >= before.sequenceNumber);
    before = now;
  }
  assert.ok(changes >= 2);
});

test("WLA-17 (Workload API §8): an entry's hint has 1024 bytes at most, counted as UTF-8", async () => {
  await using srv = await openTestServer();
  const { results } = await srv.local(Entry).batchCreateEntry({
    entries: ["h".repeat(1024), "h".repeat(1025), "ä".repeat(512), "ä".repeat(513)].map(
      (hint, i) => ({
        parentId: { trustDomain: TD, path: "/p" },
        spiffeId: { trustDomain: TD, path: `/w${i}` },
        selectors: [{ type: "unix", value: "uid:1" }],
        hint,
      }),
    ),
  });
  assert.deepEqual(
    results.map(({ status }) => status?.code),
    [0, 3, 0, 3],
  );
});
