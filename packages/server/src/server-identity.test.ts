import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import { systemClock, systemRandom } from "@bonafide/lifetime";
import { ManualClock } from "@bonafide/lifetime/testing";
import { parseCertificate } from "@bonafide/pki";
import { openMemoryKeyManager, openMemoryStore } from "@bonafide/plugin-api/testing";
import { openServer as openRpcServer } from "@bonafide/rpc";
import { parseTrustDomainName, type X509Svid } from "@bonafide/spiffe";
import { forX509 } from "./authority/authority-kind.ts";
import { AuthorityService } from "./authority/authority-service.ts";
import type { SigningAuthority } from "./authority/sign-svid.ts";
import { openLedger } from "./memory/open-ledger.ts";
import type { ServerPeer } from "./port/server-peer.ts";
import { TlsPort } from "./port/tls-port.ts";
import { ServerIdentity } from "./server-identity.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const trustDomain = parseTrustDomainName("example.org");
const log = (): void => {};

interface Bench extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly authorities: AuthorityService<SigningAuthority>;
  readonly taint: () => Promise<void>;
}

async function openBench(): Promise<Bench> {
  const memoryDir = await mkdtemp(join(tmpdir(), "bf-ident-"));
  const clock = new ManualClock(Date.now());
  const store = openMemoryStore();
  const options = { trustDomain, serverId: "s1", memoryDir, version: "0.1" };
  const ledger = await openLedger({ store, clock }, options);
  const { registry, lane } = ledger;
  const authorities = new AuthorityService(
    { keys: openMemoryKeyManager(), registry, lane, clock, log },
    { serverId: "s1", recoveryWindowMs: 30 * DAY, forcedSpreadMs: 0 },
    forX509({ trustDomain, caTtlMs: 7 * DAY }),
  );
  await authorities.settle();
  return {
    clock,
    authorities,
    async taint() {
      const { id } = authorities.signing();
      await lane.submit(
        (view) => {
          const known = view.find("authority", `x509/${id}`);
          return known === undefined ? [] : [{ put: { ...known.object, state: "tainted" } }];
        },
        { actor: { uid: 0, via: "test" }, cause: "taint" },
      );
    },
    async [Symbol.asyncDispose]() {
      await ledger.close();
      await store.close();
      await rm(memoryDir, { recursive: true });
    },
  };
}

test("the server's SVID is renewed at half of its life, and when another authority signs", async () => {
  await using bench = await openBench();
  const { clock, authorities } = bench;
  const presented: X509Svid[] = [];
  const present = (svid: X509Svid): number => presented.push(svid);
  const identity = ServerIdentity.open({ authorities, clock, log, present }, trustDomain, HOUR);
  const first = identity.svid;
  identity.refresh();
  assert.equal(identity.svid, first);
  clock.jump(HOUR / 2);
  identity.refresh();
  assert.equal(presented.length, 1);
  assert.notEqual(identity.svid, first);
  await bench.taint();
  assert.throws(() => authorities.signing(), { code: "AUTHORITY_NOT_READY" });
  await authorities.settle();
  identity.refresh();
  assert.equal(presented.length, 2);
  const [leaf] = identity.svid.chain;
  assert.equal(Buffer.from(leaf.authorityKeyId ?? []).toString("hex"), authorities.signing().id);
});

test("an authority is prepared and activated by the clock, and signs only then", async () => {
  await using bench = await openBench();
  const { clock, authorities } = bench;
  const first = authorities.signing().id;
  clock.jump(3.5 * DAY);
  await authorities.settle();
  assert.equal(authorities.signing().id, first);
  clock.jump(2.4 * DAY);
  await authorities.settle();
  assert.notEqual(authorities.signing().id, first);
});

test("a new SVID is shown from the next handshake on, to the same listener", async () => {
  await using bench = await openBench();
  const { clock, authorities } = bench;
  const identity = ServerIdentity.open(
    { authorities, clock, log, present: () => {} },
    trustDomain,
    HOUR,
  );
  await using rpc = openRpcServer<ServerPeer>();
  const port = new TlsPort(
    identity.svid,
    {
      members: rpc,
      strangers: rpc,
      clock: systemClock,
      random: systemRandom,
      log,
      bundles: () => new Map(),
      isAdmin: () => false,
      isLasting: () => false,
    },
    { trustDomain, host: "127.0.0.1", port: 0, connectionAgeMs: HOUR, strangersPerAddress: 10 },
  );
  const number = await port.listen();
  const shown = async (): Promise<bigint> => {
    const socket = connect({
      host: "127.0.0.1",
      port: number,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    });
    await once(socket, "secureConnect");
    const raw = socket.getPeerX509Certificate()?.raw ?? new Uint8Array();
    socket.destroy();
    return parseCertificate(raw).serial;
  };
  assert.equal(await shown(), identity.svid.chain[0].serial);
  clock.jump(HOUR / 2);
  identity.refresh();
  port.present(identity.svid);
  assert.equal(await shown(), identity.svid.chain[0].serial);
  await port.close();
});
