import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { type Clock, systemClock } from "@bonafide/lifetime";
import { ManualClock } from "@bonafide/lifetime/testing";
import { encodePrivateKey, formatPem, generateKey, parseCertificate } from "@bonafide/pki";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { PermissionDeniedDetailsSchema } from "@bonafide/proto/spire/api/types/status_pb";
import { createClient } from "@bonafide/rpc";
import {
  collect,
  csrOf,
  failureOf,
  openTestServer,
  openTlsChannel,
  TD,
  type TestServer,
} from "./testing/test-server.ts";

const DAY = 86_400_000;

async function handshake(srv: TestServer, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    host: "127.0.0.1",
    port: srv.server.port,
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    ...options,
  });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

function moving(): { clock: Clock; move: (ms: number) => void } {
  let offset = 0;
  return {
    clock: { ...systemClock, now: () => systemClock.now() + offset },
    move: (ms) => {
      offset += ms;
    },
  };
}

test("the server shows the SVID of its ID, without the root, and resumes no session", async () => {
  await using srv = await openTestServer();
  const socket = await handshake(srv);
  assert.equal(socket.alpnProtocol, "h2");
  const leaf = parseCertificate(socket.getPeerX509Certificate()?.raw ?? new Uint8Array());
  assert.deepEqual(leaf.uris, [`spiffe://${TD}/spire/server`]);
  assert.equal(socket.getPeerX509Certificate()?.issuerCertificate, undefined);
  socket.destroy();
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const first = await handshake(srv, { maxVersion });
    // The server's settings: over TLS 1.3 what a session is resumed by has come before them.
    await once(first, "data");
    const session = first.getSession();
    first.destroy();
    // A client has a session to show again, whatever the server gave.
    assert.ok(session !== undefined && session.length > 0);
    const again = await handshake(srv, { maxVersion, session });
    assert.equal(again.isSessionReused(), false);
    again.destroy();
  }
});

test("TLS 1.1, and a peer that does not speak HTTP/2, are turned away", async () => {
  await using srv = await openTestServer();
  const old = connect({
    host: "127.0.0.1",
    port: srv.server.port,
    rejectUnauthorized: false,
    minVersion: "TLSv1.1",
    maxVersion: "TLSv1.1",
  });
  const [error] = await once(old, "error");
  assert.ok(error instanceof Error);
  const silent = await handshake(srv, { ALPNProtocols: [] });
  silent.resume();
  await once(silent, "close");
});

test("a certificate that does not verify is answered with the reason, call by call", async () => {
  await using srv = await openTestServer();
  const svid = await srv.join();
  const stranger = { ...svid, ...generateKey("ec-p256") };
  await using elsewhere = await openTestServer();
  const forged = await elsewhere.join();
  const refused = await failureOf(srv.remote(Agent, forged).postStatus({}));
  assert.deepEqual(
    [refused.status, refused.code],
    ["unauthenticated", "CALLER_CERTIFICATE_REFUSED"],
  );
  assert.equal(refused.error.details["reason"], "PATH_UNKNOWN_AUTHORITY");
  // A certificate without its key does not get as far as that.
  await assert.rejects(
    handshake(srv, {
      cert: stranger.chain.map((der) => formatPem("CERTIFICATE", der)).join(""),
      key: formatPem("PRIVATE KEY", encodePrivateKey(stranger.privateKey)),
    }),
  );
});

test("an agent whose SVID has expired is told so in the way that makes agents attest again", async () => {
  const { clock, move } = moving();
  await using srv = await openTestServer({ clock, isBlind: true });
  const svid = await srv.join();
  const open = srv.remote(Agent, svid);
  await open.postStatus({});
  move(2 * 3_600_000);
  for (const client of [open, srv.remote(Agent, svid)]) {
    const { status, code, error } = await failureOf(client.postStatus({}));
    assert.deepEqual([status, code], ["permission_denied", "AGENT_EXPIRED"]);
    assert.equal(error.detail(PermissionDeniedDetailsSchema)?.reason, 1);
  }
});

test("authorities follow one another over two lives, and what was signed stays good", async () => {
  const { clock, move } = moving();
  const week = { agentSvidTtlMs: DAY };
  await using srv = await openTestServer({ clock, isBlind: true, options: week });
  let svid = await srv.join();
  const signers = new Set<string>();
  const numbers: bigint[] = [];
  for (let hours = 0; hours < 14 * 24; hours += 12) {
    move(DAY / 2);
    await srv.restart();
    const key = generateKey("ec-p256");
    const { svid: next } = await srv
      .remote(Agent, svid)
      .renewAgent({ params: { csr: csrOf(key) } });
    const chain = next?.certChain ?? [];
    svid = { ...svid, chain, privateKey: key.privateKey };
    const leaf = parseCertificate(chain[0] ?? new Uint8Array());
    signers.add(Buffer.from(leaf.authorityKeyId ?? []).toString("hex"));
    const bundle = await srv.remote(Bundle).getBundle({});
    numbers.push(bundle.sequenceNumber);
    const roots = bundle.x509Authorities.map(({ asn1 }) => parseCertificate(asn1));
    assert.ok(roots.every((root) => root.notAfter > clock.now()));
    assert.ok(
      roots.some(
        (root) =>
          Buffer.compare(root.subjectKeyId ?? Buffer.of(), leaf.authorityKeyId ?? Buffer.of()) ===
          0,
      ),
    );
  }
  assert.ok(signers.size >= 3, `${signers.size} authorities signed`);
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => (a < b ? -1 : Number(a > b))),
  );
});

test("a connection that is old is asked to go, and a call that crosses this is served all the same", async () => {
  // Nothing else of a server sleeps as long. Not a short age on the machine's clock: a call is made again once, and
  // a machine that stalls for the age of a connection would have it refused twice.
  const ageMs = 10_000 * DAY;
  const aging = new ManualClock();
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, options) => (ms < ageMs ? systemClock : aging).sleep(ms, options),
  };
  await using srv = await openTestServer({ clock, options: { connectionAgeMs: ageMs } });
  const svid = await srv.join();
  const socket = await handshake(srv, {
    cert: svid.chain.map((der) => formatPem("CERTIFICATE", der)).join(""),
    key: formatPem("PRIVATE KEY", encodePrivateKey(svid.privateKey)),
  });
  const frames = framesOf(socket);
  // Preface and empty settings, which the server answers with its own (frame type 4).
  socket.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings()]));
  assert.equal((await frames.next()).value, 4);
  await aging.advance(1.2 * ageMs);
  const seen = await collect(frames);
  assert.ok(seen.includes(7), `GOAWAY is not among ${seen.join()}`);

  let connections = 0;
  const onSocket = (): void => {
    connections++;
  };
  const channel = srv.keep(openTlsChannel(srv.server, { svid, onSocket }));
  const agent = createClient(Agent, channel);
  await agent.postStatus({});
  for (let i = 0; i < 20; i++) {
    const crossing = agent.postStatus({});
    await Promise.all([aging.advance(1.2 * ageMs), crossing]);
  }
  assert.equal(connections, 21);
});

/** The types of the HTTP/2 frames that come, until the connection ends. */
async function* framesOf(socket: TLSSocket): AsyncGenerator<number, void, void> {
  let rest = Buffer.alloc(0);
  for await (const chunk of socket) {
    assert.ok(Buffer.isBuffer(chunk));
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      yield rest.readUInt8(3);
      rest = rest.subarray(9 + rest.readUIntBE(0, 3));
    }
  }
}

function settings(): Buffer {
  return Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
}
