import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, createServer as createTcp, type Socket } from "node:net";
import { test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { isBonafideError } from "@bonafide/errors";
import { ManualClock } from "@bonafide/lifetime/testing";
import { CertificateIssuer, encodePrivateKey, formatPem, generateKey } from "@bonafide/pki";
import { TestTrustDomain } from "../testing/test-trust-domain.ts";
import { createTlsAcceptor, createTlsAcceptorWithAnonymous, type Refusal } from "./acceptor.ts";
import { type Authorizer, exactId, memberOf, oneOf, predicate } from "./authorizer.ts";
import { createTlsConnector } from "./connector.ts";
import { secureContextOptions } from "./secure-context.ts";
import { VerifiedPeer } from "./verified-peer.ts";

const everybody = predicate("anybody who was verified", () => true);

test("both ends know each other, and both export the same keying material", async () => {
  const a = new TestTrustDomain("a.example");
  const seen: VerifiedPeer[] = [];
  const sockets: TLSSocket[] = [];
  await using acceptor = createTlsAcceptor(
    { source: a.source("/server"), authorize: memberOf("a.example"), alpn: ["x"] },
    (socket, peer) => {
      seen.push(peer);
      sockets.push(socket);
      socket.end("hello");
    },
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  await using connector = createTlsConnector({
    source: a.source("/client"),
    authorize: exactId("spiffe://a.example/server"),
  });
  const { socket, peer } = await connector.connect({ host: "127.0.0.1", port }, { alpn: ["x"] });
  assert.equal(peer.spiffeId, "spiffe://a.example/server");
  const [data] = await once(socket, "data");
  assert.equal(String(data), "hello");
  assert.deepEqual(seen.map(String), ["spiffe://a.example/client"]);
  assert.equal(socket.getProtocol(), "TLSv1.3");
  const label = "EXPORTER-test";
  assert.deepEqual(
    socket.exportKeyingMaterial(32, label, Buffer.alloc(0)),
    sockets[0]?.exportKeyingMaterial(32, label, Buffer.alloc(0)),
  );
});

test("X509-24, WLA-09, SID-19 (X509-SVID §5.1): a leaf of domain a that domain b vouches for is refused, both ways", async () => {
  const a = new TestTrustDomain("a.example");
  const b = new TestTrustDomain("b.example");
  const forged = forge(b, "spiffe://a.example/admin");
  const refused: Refusal[] = [];
  let taken = 0;
  await using acceptor = createTlsAcceptor(
    {
      source: a.source("/server", { trusting: [b] }),
      authorize: everybody,
      alpn: ["http/1.1"],
      onRefused: (refusal) => refused.push(refusal),
    },
    () => {
      taken++;
    },
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  const evil = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...forged });
  evil.on("error", () => {});
  evil.write("GET / HTTP/1.1\r\n\r\n");
  await closed(evil);
  assert.equal(taken, 0);
  assert.deepEqual(
    refused.map(({ error }) => [error.code, error.details["reason"]]),
    [["X509_SVID_UNTRUSTED", "PATH_UNKNOWN_AUTHORITY"]],
  );

  const server = createServer(forged).listen(0, "127.0.0.1");
  await once(server, "listening");
  await using connector = createTlsConnector({
    source: a.source("/client", { trusting: [b] }),
    authorize: everybody,
  });
  await assert.rejects(
    connector.connect({ host: "127.0.0.1", port: portOf(server) }),
    coded("X509_SVID_UNTRUSTED"),
  );
  server.close();
});

test("X509-09 (X509-SVID §3.2): an authority's certificate admits nobody, whoever holds its key", async () => {
  const a = new TestTrustDomain("a.example");
  const key = generateKey("ec-p256");
  const { der } = new CertificateIssuer(a.ca.certificate, a.ca.signer).issueAuthority({
    spki: key.spki,
    uris: ["spiffe://a.example/client"],
    notBefore: Date.now() - 1000,
    notAfter: Date.now() + 60_000,
  });
  const refused: unknown[] = [];
  await using acceptor = createTlsAcceptor(
    {
      source: a.source("/server"),
      authorize: everybody,
      alpn: ["http/1.1"],
      onRefused: ({ error }) => refused.push(error.code, error.details["reason"]),
    },
    () => assert.fail("taken"),
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  const socket = connect({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    cert: formatPem("CERTIFICATE", der),
    key: formatPem("PRIVATE KEY", encodePrivateKey(key.privateKey)),
  });
  await closed(socket);
  assert.deepEqual(refused, ["X509_SVID_INVALID", "leaf-is-authority"]);
});

test("an anonymous peer is refused, or handed on without a peer where that is asked for", async () => {
  const a = new TestTrustDomain("a.example");
  const options = { source: a.source("/server"), authorize: everybody, alpn: ["http/1.1"] };
  const refused: string[] = [];
  await using strict = createTlsAcceptor(
    { ...options, onRefused: ({ error }) => refused.push(error.code) },
    () => assert.fail("taken"),
  );
  const socket = plain(await strict.listen({ port: 0, host: "127.0.0.1" }));
  await closed(socket);
  assert.deepEqual(refused, ["PEER_ANONYMOUS"]);

  const peers: unknown[] = [];
  await using open = createTlsAcceptorWithAnonymous(options, (taken, peer) => {
    peers.push(peer);
    taken.end();
  });
  const port = await open.listen({ port: 0, host: "127.0.0.1" });
  await closed(plain(port));
  await using connector = createTlsConnector({ source: a.source("/c"), authorize: everybody });
  const { socket: known } = await connector.connect({ host: "127.0.0.1", port });
  await closed(known);
  assert.deepEqual(peers.map(String), ["undefined", "spiffe://a.example/c"]);

  await using nobody = createTlsConnector({
    source: a.source("/c"),
    authorize: everybody,
    anonymous: true,
  });
  assert.equal((await nobody.connect({ host: "127.0.0.1", port })).peer.spiffeId.length > 0, true);
});

test("no session is resumed, in TLS 1.2 or 1.3", async () => {
  const a = new TestTrustDomain("a.example");
  const reused: boolean[] = [];
  await using acceptor = createTlsAcceptor(
    { source: a.source("/server"), authorize: everybody, alpn: ["http/1.1"] },
    (socket) => {
      reused.push(socket.isSessionReused());
      socket.end("x");
    },
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    let session: Buffer | undefined;
    for (let i = 0; i < 3; i++) {
      const socket = connect({
        ...secureContextOptions(a.issue("/client")),
        port,
        host: "127.0.0.1",
        rejectUnauthorized: false,
        maxVersion,
        ...(session === undefined ? {} : { session }),
      });
      socket.on("session", (ticket) => {
        session = ticket;
      });
      await closed(socket);
    }
  }
  assert.deepEqual(
    reused,
    Array.from({ length: 6 }, () => false),
  );
});

test("a session that was resumed all the same proves nobody, in TLS 1.2 or 1.3", async () => {
  const a = new TestTrustDomain("a.example");
  // Not one of ours: it gives tickets.
  const { key, cert } = secureContextOptions(a.issue("/server"));
  const server = createServer({ key, cert }, (socket) => socket.end("x"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    let session: Buffer | undefined;
    const judge = async (): Promise<() => VerifiedPeer> => {
      const socket = connect({
        port: address.port,
        host: "127.0.0.1",
        rejectUnauthorized: false,
        maxVersion,
        ...(session === undefined ? {} : { session }),
      });
      socket.on("session", (ticket) => {
        session = ticket;
      });
      await once(socket, "secureConnect");
      const context = a.source("/client").context();
      let judged: () => VerifiedPeer;
      try {
        const { bundles } = context;
        const peer = VerifiedPeer.verify(socket, {
          authorize: everybody,
          bundles,
          now: Date.now(),
        });
        judged = () => peer;
      } catch (error) {
        judged = () => {
          throw error;
        };
      }
      await closed(socket);
      return judged;
    };
    assert.equal((await judge())().spiffeId, "spiffe://a.example/server");
    assert.ok(session !== undefined, maxVersion);
    assert.throws(await judge(), { code: "TLS_SESSION_RESUMED" });
  }
  server.close();
});

test("TLS below 1.2 and a protocol that was not offered are refused", async () => {
  const a = new TestTrustDomain("a.example");
  const refused: string[] = [];
  await using acceptor = createTlsAcceptor(
    {
      source: a.source("/server"),
      authorize: everybody,
      alpn: ["h2"],
      onRefused: ({ error }) => refused.push(error.code),
    },
    () => assert.fail("taken"),
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  const mine = secureContextOptions(a.issue("/client"));
  for (const options of [{ ALPNProtocols: ["http/1.1"] }, {}]) {
    const target = { port, host: "127.0.0.1", rejectUnauthorized: false };
    await closed(connect({ ...target, ...mine, ...options }));
  }
  assert.deepEqual(refused, ["TLS_HANDSHAKE_FAILED", "TLS_PROTOCOL_MISMATCH"]);
  await using connector = createTlsConnector({ source: a.source("/c"), authorize: everybody });
  await assert.rejects(
    connector.connect({ host: "127.0.0.1", port }, { alpn: ["http/1.1"] }),
    coded("TLS_HANDSHAKE_FAILED"),
  );
});

test("authorizers admit whom they name and nobody else, and a predicate that throws admits nobody", async () => {
  const a = new TestTrustDomain("a.example");
  await using acceptor = createTlsAcceptor(
    { source: a.source("/server"), authorize: everybody, alpn: ["http/1.1"] },
    () => {},
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  const tries: readonly (readonly [Authorizer, boolean])[] = [
    [exactId("spiffe://a.example/server"), true],
    [exactId("spiffe://a.example/serve"), false],
    [oneOf(["spiffe://a.example/other", "spiffe://a.example/server"]), true],
    [oneOf([]), false],
    [memberOf("a.example"), true],
    [memberOf("b.example"), false],
    [memberOf("spiffe://a.example/x"), true],
    [predicate("p", (peer) => peer.id.endsWith("/server")), true],
    [
      predicate("p", () => {
        throw new Error("oops");
      }),
      false,
    ],
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a caller without types may do
    [predicate("p", () => "yes" as unknown as boolean), false],
  ];
  for (const [authorize, admitted] of tries) {
    await using connector = createTlsConnector({ source: a.source("/client"), authorize });
    const connecting = connector.connect({ host: "127.0.0.1", port });
    if (admitted) await connecting;
    else await assert.rejects(connecting, coded("PEER_NOT_AUTHORIZED"), authorize.rule);
  }
});

test("a peer cannot be made up: not by the constructor, a copy or a prototype", async () => {
  const a = new TestTrustDomain("a.example");
  const peers: VerifiedPeer[] = [];
  await using acceptor = createTlsAcceptor(
    { source: a.source("/server"), authorize: everybody, alpn: ["http/1.1"] },
    (_socket, peer) => {
      peers.push(peer);
    },
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  await using connector = createTlsConnector({ source: a.source("/c"), authorize: everybody });
  const { peer } = await connector.connect({ host: "127.0.0.1", port });
  assert.ok(VerifiedPeer.isVerifiedPeer(peer));
  assert.ok(!VerifiedPeer.isVerifiedPeer(Object.assign({}, peer)));
  assert.ok(!VerifiedPeer.isVerifiedPeer(Object.create(VerifiedPeer.prototype)));
  assert.ok(!VerifiedPeer.isVerifiedPeer(Object.create(peer)));
  assert.throws(() => {
    Reflect.construct(VerifiedPeer, [Symbol("VerifiedPeer"), peer.svid, []]);
  }, TypeError);
  assert.deepEqual(JSON.parse(JSON.stringify(peer)), {
    spiffeId: "spiffe://a.example/server",
    notAfter: peer.notAfter,
  });
});

test("three rotations reach an open listener and an open connection lives on", async () => {
  const a = new TestTrustDomain("a.example");
  const server = a.source("/server");
  await using acceptor = createTlsAcceptor(
    { source: server, authorize: everybody, alpn: ["http/1.1"] },
    (socket) => {
      socket.on("data", (data) => socket.write(data));
    },
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  await using connector = createTlsConnector({ source: a.source("/c"), authorize: everybody });
  const { socket } = await connector.connect({ host: "127.0.0.1", port });
  for (let i = 0; i < 3; i++) {
    const svid = server.rotate();
    await turn();
    const fresh = await connector.connect({ host: "127.0.0.1", port });
    assert.deepEqual(Buffer.from(fresh.peer.presented[0] ?? []), Buffer.from(svid.chain[0].der));
    assert.ok(!fresh.socket.isSessionReused());
    socket.write(`${i}`);
    const [data] = await once(socket, "data");
    assert.equal(String(data), `${i}`);
  }
});

test("BND-14, WLA-08 (Bundle §4.1.3): connections whose authority left the bundle are closed, others stay", async () => {
  const a = new TestTrustDomain("a.example");
  const b = new TestTrustDomain("b.example");
  const server = a.source("/server", { trusting: [b] });
  const refused: string[] = [];
  await using acceptor = createTlsAcceptor(
    {
      source: server,
      authorize: everybody,
      alpn: ["http/1.1"],
      onRefused: ({ error }) => refused.push(error.code),
    },
    () => {},
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  const ofB = b.source("/c", { trusting: [a] });
  await using fromA = createTlsConnector({ source: a.source("/c"), authorize: everybody });
  await using fromB = createTlsConnector({ source: ofB, authorize: everybody });
  const kept = await fromA.connect({ host: "127.0.0.1", port });
  const lost = await fromB.connect({ host: "127.0.0.1", port });
  const again = await fromB.connect({ host: "127.0.0.1", port });
  await until(() => acceptor.connections === 3);

  b.rotateAuthority();
  server.refreshBundles();
  await turn();
  assert.equal(acceptor.connections, 3);

  b.dropOldAuthorities();
  server.refreshBundles();
  await Promise.all([closed(lost.socket), closed(again.socket)]);
  assert.equal(kept.socket.destroyed, false);
  assert.equal(acceptor.connections, 1);
  assert.deepEqual(refused, ["X509_SVID_UNTRUSTED", "X509_SVID_UNTRUSTED"]);

  // The other way: a client drops the server whose domain it does not trust any more.
  ofB.rotate();
  const third = await fromB.connect({ host: "127.0.0.1", port });
  ofB.redact();
  await closed(third.socket);
});

test("WLA-19 (Workload API §5.2): after a redaction new handshakes fail on both ends", async () => {
  const a = new TestTrustDomain("a.example");
  const server = a.source("/server");
  const refused: string[] = [];
  await using acceptor = createTlsAcceptor(
    {
      source: server,
      authorize: everybody,
      alpn: ["http/1.1"],
      onRefused: ({ error }) => refused.push(error.code),
    },
    () => assert.fail("taken"),
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  const client = a.source("/c");
  await using connector = createTlsConnector({ source: client, authorize: everybody });
  server.redact();
  const gone = await connector.connect({ host: "127.0.0.1", port }).catch(() => undefined);
  if (gone !== undefined) await closed(gone.socket);
  client.redact();
  await assert.rejects(connector.connect({ host: "127.0.0.1", port }), coded("NO_IDENTITY_ISSUED"));
  await until(() => refused.length > 0);
});

test("a connection ends with its peer's certificate, or its lifetime, whichever comes first", async () => {
  for (const connectionLifetimeMs of [undefined, 60_000]) {
    const clock = new ManualClock();
    const a = new TestTrustDomain("a.example", { now: clock.now() });
    const retired: string[] = [];
    await using acceptor = createTlsAcceptor(
      {
        source: a.source("/server"),
        authorize: everybody,
        alpn: ["http/1.1"],
        clock,
        ...(connectionLifetimeMs === undefined ? {} : { connectionLifetimeMs }),
      },
      () => ({
        retire: () => retired.push("retired"),
      }),
    );
    const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
    await using connector = createTlsConnector({
      source: a.source("/c"),
      authorize: everybody,
      clock: new ManualClock(),
    });
    const { socket } = await connector.connect({ host: "127.0.0.1", port });
    await until(() => acceptor.connections === 1);
    const lifeMs = connectionLifetimeMs ?? 60 * 60_000;
    await clock.advance(lifeMs - 6000);
    assert.deepEqual(retired, []);
    await clock.advance(5000);
    assert.deepEqual(retired, ["retired"]);
    assert.equal(socket.destroyed, false);
    await clock.advance(1001);
    await closed(socket);
    assert.equal(clock.sleepers, 0);
  }
});

test("a handshake that never begins is given up, and its connection does not count", async () => {
  const a = new TestTrustDomain("a.example");
  const refused: string[] = [];
  await using acceptor = createTlsAcceptor(
    {
      source: a.source("/server"),
      authorize: everybody,
      alpn: ["http/1.1"],
      handshakeTimeoutMs: 20,
      onRefused: ({ error }) => refused.push(error.code),
    },
    () => assert.fail("taken"),
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  const socket = connectTcp(port, "127.0.0.1");
  await closed(socket);
  assert.deepEqual(refused, ["TLS_HANDSHAKE_FAILED"]);
  assert.equal(acceptor.connections, 0);
});

test("a connector gives up on a silent server, an aborted signal and a closed port with one code", async () => {
  const a = new TestTrustDomain("a.example");
  const silent = createTcp((socket) => socket.on("error", () => {}).resume()).listen(
    0,
    "127.0.0.1",
  );
  await once(silent, "listening");
  await using connector = createTlsConnector({
    source: a.source("/c"),
    authorize: everybody,
    handshakeTimeoutMs: 20,
  });
  const port = portOf(silent);
  await assert.rejects(
    connector.connect({ host: "127.0.0.1", port }),
    coded("TLS_HANDSHAKE_FAILED"),
  );
  const abort = new AbortController();
  const connecting = connector.connect({ host: "127.0.0.1", port }, { signal: abort.signal });
  abort.abort();
  await assert.rejects(connecting, coded("TLS_HANDSHAKE_FAILED"));
  silent.close();
  await once(silent, "close");
  await assert.rejects(
    connector.connect({ host: "127.0.0.1", port }),
    coded("TLS_HANDSHAKE_FAILED"),
  );
});

test("closing does not wait for handshakes that never end, and a taken port is a coded error", async () => {
  const a = new TestTrustDomain("a.example");
  const options = { source: a.source("/server"), authorize: everybody, alpn: ["http/1.1"] };
  const acceptor = createTlsAcceptor(options, () => {});
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  const silent = connectTcp(port, "127.0.0.1");
  await once(silent, "connect");
  await using second = createTlsAcceptor(options, () => {});
  await assert.rejects(second.listen({ port, host: "127.0.0.1" }), coded("LISTEN_FAILED"));
  await Promise.all([acceptor.close(), closed(silent)]);
  await acceptor.close();
});

test("a connector without an open connection watches nothing, and watches again with the next one", async () => {
  const a = new TestTrustDomain("a.example");
  await using acceptor = createTlsAcceptor(
    { source: a.source("/server"), authorize: everybody, alpn: ["http/1.1"] },
    () => {},
  );
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  const client = a.source("/c");
  let watching = 0;
  await using connector = createTlsConnector({
    authorize: everybody,
    source: {
      context: () => client.context(),
      async *updates(options) {
        watching++;
        yield* client.updates(options);
        watching--;
      },
    },
  });
  for (let i = 0; i < 2; i++) {
    const one = await connector.connect({ host: "127.0.0.1", port });
    const two = await connector.connect({ host: "127.0.0.1", port });
    await turn();
    assert.equal(watching, 1);
    one.socket.destroy();
    await closed(one.socket);
    await turn();
    assert.equal(watching, 1);
    two.socket.destroy();
    await closed(two.socket);
    await until(() => watching === 0);
  }
});

/** TLS options for a leaf that names another domain than its signer's. */
function forge(signer: TestTrustDomain, uri: string): { cert: string; key: string } {
  const { chainPem, keyPem } = signer.ca.issue(uri);
  return { cert: chainPem, key: keyPem };
}

function plain(port: number): TLSSocket {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  socket.on("error", () => {});
  return socket;
}

function portOf(server: { address(): unknown }): number {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null && "port" in address);
  return Number(address.port);
}

function coded(code: string): (error: unknown) => boolean {
  return (error) => isBonafideError(error, code);
}

/** Resolves when a socket is closed, by an error or not. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    socket.on("error", () => {});
    socket.once("close", () => {
      resolve();
    });
    socket.resume();
  });
}

async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
