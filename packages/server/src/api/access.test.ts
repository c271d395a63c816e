import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { test } from "node:test";
import type { BundleObject } from "@bonafide/ledger";
import { ManualClock } from "@bonafide/lifetime/testing";
import { openMemoryStore } from "@bonafide/plugin-api/testing";
import { Ledger } from "@bonafide/proto/bonafide/admin/v1/ledger_pb";
import { Health } from "@bonafide/proto/grpc/health/v1/health_pb";
import type { IncomingCall } from "@bonafide/rpc";
import {
  formatSpiffeBundle,
  parseSpiffeId,
  parseTrustDomainName,
  type SpiffeId,
  type X509Bundle,
} from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import { BundleCache } from "../authority/bundle-cache.ts";
import { authorityIdOf } from "../authority/sign-svid.ts";
import { BY_TEST } from "../lane/testing/sample-objects.ts";
import { openLedger } from "../memory/open-ledger.ts";
import type { OpenedLedger } from "../memory/opened-ledger.ts";
import type { MemberPeer, ServerPeer } from "../port/server-peer.ts";
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

interface OpenAccess extends AsyncDisposable {
  readonly access: Access;
  readonly lane: OpenedLedger["lane"];
}

/** Access to a ledger of its own, of example.org, with one administrator. */
async function openAccess(adminId: SpiffeId): Promise<OpenAccess> {
  const folder = mkdtempSync("/tmp/bf-access-");
  const clock = new ManualClock(NOW);
  const ledger = await openLedger(
    { store: openMemoryStore(), clock },
    { trustDomain: "example.org", serverId: "s", memoryDir: folder, version: "0.1" },
  );
  const { registry, lane } = ledger;
  const trustDomain = parseTrustDomainName("example.org");
  return {
    access: new Access(
      { registry, clock, bundles: new BundleCache(registry, trustDomain, () => {}) },
      { trustDomain, adminIds: new Set([adminId]) },
    ),
    lane,
    async [Symbol.asyncDispose]() {
      await ledger[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

const ADMIN_ID = parseSpiffeId("spiffe://other.org/ops");

/** A member of other.org, proven by the authority of this domain. */
function adminOf({ trustDomain, bundle }: TestTrustDomain): MemberPeer {
  const [root] = bundle.authorities;
  assert.ok(root !== undefined);
  return {
    kind: "member",
    address: "192.0.2.1",
    id: ADMIN_ID,
    trustDomain,
    notBefore: NOW - 1000,
    notAfter: NOW + 1000,
    rootId: authorityIdOf(root),
    signedAt: undefined,
    serialText: "1",
  };
}

test("what is served on the private socket only, or nowhere, is refused to all others, administrators too", async () => {
  await using opened = await openAccess(ADMIN_ID);
  const { access, lane } = opened;
  const other = new TestTrustDomain("other.org");
  const admin = adminOf(other);
  await lane.submit(() => [{ put: bundleObject("other.org", other.bundle) }], BY_TEST);
  const anonymous = {
    kind: "anonymous",
    address: "192.0.2.1",
    exporter: () => new Uint8Array(32),
  } as const;
  const local = { kind: "local", uid: 0, pid: 1 } as const;
  const judge = (path: string, peer: ServerPeer): void => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a call, path and peer are judged
    access.check({ path, peer } as IncomingCall<ServerPeer>);
  };
  judge("/spire.api.server.entry.v1.Entry/ListEntries", admin);
  const closed = [Health, Ledger].flatMap(({ typeName, methods }) =>
    methods.map(({ name }) => `/${typeName}/${name}`),
  );
  for (const path of closed) judge(path, local);
  const nowhere = ["/grpc.health.v1.Health/Other", "/a.B/C", "", "/"];
  for (const [paths, ...peers] of [
    [closed, admin, anonymous],
    [nowhere, admin, anonymous, local],
  ] as const) {
    for (const path of paths) {
      for (const peer of peers) {
        assert.throws(
          () => {
            judge(path, peer);
          },
          { code: "METHOD_UNAVAILABLE_HERE" },
          `${path} for ${peer.kind}`,
        );
      }
    }
  }
});

test("a foreign administrator is one as long as its own domain's bundle holds its root, at each call", async () => {
  await using opened = await openAccess(ADMIN_ID);
  const { access, lane } = opened;
  const [before, after] = [new TestTrustDomain("other.org"), new TestTrustDomain("other.org")];
  const peer = adminOf(before);
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
});
