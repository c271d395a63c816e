import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { test } from "node:test";
import type { BundleObject } from "@bonafide/ledger";
import { ManualClock } from "@bonafide/lifetime/testing";
import { openMemoryStore } from "@bonafide/plugin-api/testing";
import {
  formatSpiffeBundle,
  parseSpiffeId,
  parseTrustDomainName,
  type X509Bundle,
} from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import { BundleCache } from "../authority/bundle-cache.ts";
import { authorityIdOf } from "../authority/sign-svid.ts";
import { BY_TEST } from "../lane/testing/sample-objects.ts";
import { openLedger } from "../memory/open-ledger.ts";
import type { MemberPeer } from "../port/server-peer.ts";
import { Access } from "./access.ts";

const NOW = 1_795_000_000_000;

function bundleObject(trustDomain: string, x509: X509Bundle): BundleObject {
  const document = formatSpiffeBundle({
    trustDomain: parseTrustDomainName(trustDomain),
    sequence: 1n,
    refreshHintSeconds: undefined,
    x509,
    jwtAuthorities: [],
    witAuthorities: [],
  });
  return {
    kind: "bundle",
    trustDomain,
    jwks: new TextEncoder().encode(document),
    sequenceNumber: 1n,
    refreshHintSeconds: 0,
    source: "",
  };
}

test("a foreign administrator is one as long as its own domain's bundle holds its root, at each call", async () => {
  const folder = mkdtempSync("/tmp/bf-access-");
  const clock = new ManualClock(NOW);
  await using ledger = await openLedger(
    { store: openMemoryStore(), clock },
    { trustDomain: "example.org", serverId: "s", memoryDir: folder, version: "0.1" },
  );
  const { registry, lane } = ledger;
  const own = parseTrustDomainName("example.org");
  const id = parseSpiffeId("spiffe://other.org/ops");
  const bundles = new BundleCache(registry, own);
  const access = new Access(
    { registry, clock, bundles },
    { trustDomain: own, adminIds: new Set([id]) },
  );
  const [before, after] = [new TestTrustDomain("other.org"), new TestTrustDomain("other.org")];
  const [root] = before.bundle.authorities;
  assert.ok(root !== undefined);
  const peer: MemberPeer = {
    kind: "member",
    address: "192.0.2.1",
    id,
    trustDomain: before.trustDomain,
    notBefore: NOW - 1000,
    notAfter: NOW + 1000,
    rootId: authorityIdOf(root),
    signedAt: undefined,
    serialText: "1",
  };
  const refused = (): void => {
    assert.throws(() => access.administrator(peer, "read"), { code: "ADMIN_REQUIRED" });
  };
  refused();
  await lane.submit(() => [{ put: bundleObject("other.org", before.bundle) }], BY_TEST);
  assert.equal(access.administrator(peer, "read").caller.kind, "admin");
  await lane.submit(() => [{ put: bundleObject("other.org", after.bundle) }], BY_TEST);
  refused();
  await lane.submit(() => [{ put: bundleObject("other.org", before.bundle) }], BY_TEST);
  access.administrator(peer, "read");
  await lane.submit(() => [{ remove: { kind: "bundle", naturalKey: "other.org" } }], BY_TEST);
  refused();
  rmSync(folder, { recursive: true });
});
