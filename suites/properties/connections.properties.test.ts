import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type RequestOptions } from "node:https";
import { connect as connectTcp, type Socket } from "node:net";
import { test } from "node:test";
import { connect, createServer, type SecureVersion, type TLSSocket } from "node:tls";
import {
  createGrpcAcceptor,
  createHttpsAgent,
  createHttpsServer,
  createTlsConnector,
  exactId,
  grpcCredentials,
  openRotatingGrpcClient,
  predicate,
  secureContextOptions,
  type X509Svid,
} from "@bonafide/spiffe";
import { type TestSource, TestTrustDomain } from "@bonafide/spiffe/testing";
import { Client, credentials, Server } from "@grpc/grpc-js";
import { swapCertificate, TamperingProxy } from "./tampering-proxy.ts";
import { SERVER_ID, TargetServer } from "./testing.ts";

const everybody = predicate("anybody who was verified", () => true);
const toServer = exactId(SERVER_ID);

test("P1.1: recorded bytes of a whole connection, sent again, reach no handler", async () => {
  await using server = await TargetServer.start("hello-grpc");
  await using proxy = await TamperingProxy.open(server.port);
  const honest = server.own.source("/visitor");
  const client = grpcClient(proxy.port, grpcCredentials({ source: honest, authorize: toServer }));
  assert.match(await hello(client), /^Hello spiffe:\/\/example.org\/visitor/);
  client.close();
  const replay = connectTcp(server.port, "127.0.0.1");
  for (const chunk of proxy.recorded) replay.write(chunk);
  await closed(replay);
  await server.until(/^refused: TLS_HANDSHAKE_FAILED/);
  assert.equal(server.handled, 1);
});

test("P1.2: a certificate whose key the client does not have is refused", async () => {
  await using server = await TargetServer.start("hello-grpc");
  const victim = server.own.issue("/admin");
  let swaps = 0;
  const swap = swapCertificate(
    victim.chain.map(({ der }) => der),
    () => swaps++,
  );
  await using proxy = await TamperingProxy.open(server.port, swap);
  const attacker = new TestTrustDomain("attacker.example").issue("/x");
  await closed(dial(proxy.port, attacker, { maxVersion: "TLSv1.2" }));
  await server.until(/^refused: TLS_HANDSHAKE_FAILED/);
  assert.equal(swaps, 1);
  assert.equal(server.handled, 0);
});

test("P1.3: a kept TLS session is not resumed, and is no identity for who has lost the certificate", async () => {
  await using server = await TargetServer.start("hello-grpc");
  const reused: boolean[] = [];
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    let session: Buffer | undefined;
    const first = dial(server.port, server.own.issue("/visitor"), { maxVersion });
    first.on("session", (ticket) => (session = ticket));
    await once(first, "secureConnect");
    await once(first, "data");
    first.destroy();
    assert.ok(maxVersion === "TLSv1.2" || session !== undefined);
    const again = dial(server.port, undefined, {
      maxVersion,
      ...(session === undefined ? {} : { session }),
    });
    // In TLS 1.2 the server may be gone before the client knows that the handshake is over.
    again.once("secureConnect", () => reused.push(again.isSessionReused()));
    await closed(again);
  }
  await server.until(/^refused: PEER_ANONYMOUS/);
  assert.ok(!reused.includes(true));
  assert.equal(server.handled, 0);
});

test("P2.1: a leaf that another domain forged is refused over node:tls, whichever end shows it", async () => {
  await using server = await TargetServer.start("hello-grpc");
  await closed(dial(server.port, server.other.forge("spiffe://example.org/admin")));
  await server.until(/^refused: X509_SVID_UNTRUSTED/);
  const evil = createServer(secureContextOptions(server.other.forge(SERVER_ID)));
  evil.listen(0, "127.0.0.1");
  await once(evil, "listening");
  await using connector = createTlsConnector({ source: visitor(server), authorize: everybody });
  await assert.rejects(
    connector.connect({ host: "127.0.0.1", port: portOf(evil) }),
    coded("X509_SVID_UNTRUSTED"),
  );
  evil.close();
  assert.equal(server.handled, 0);
});

test("P2.2: the same over HTTPS", async () => {
  await using server = await TargetServer.start("hello-https");
  await assert.rejects(fetchText(server.port, forger(server)));
  await using evil = createHttpsServer(
    { source: forgedServer(server), authorize: everybody },
    () => {
      assert.fail("a request reached the forged server");
    },
  );
  const port = await evil.listen({ port: 0, host: "127.0.0.1" });
  await assert.rejects(fetchText(port, visitor(server)), coded("X509_SVID_UNTRUSTED"));
  assert.match(await fetchText(server.port, visitor(server)), /^Hello /);
  assert.equal(server.handled, 1);
});

test("P2.3: the same over gRPC", async () => {
  await using server = await TargetServer.start("hello-grpc");
  const forged = grpcCredentials({ source: forger(server), authorize: toServer });
  await assert.rejects(helloOnce(server.port, forged));
  await server.until(/^refused: X509_SVID_UNTRUSTED/);
  const grpc = new Server();
  await using evil = createGrpcAcceptor(grpc, {
    source: forgedServer(server),
    authorize: everybody,
  });
  const port = await evil.listen({ port: 0, host: "127.0.0.1" });
  const mine = grpcCredentials({ source: visitor(server), authorize: everybody });
  await assert.rejects(helloOnce(port, mine), /PATH_UNKNOWN_AUTHORITY/);
  grpc.forceShutdown();
  assert.equal(server.handled, 0);
});

test("P2.4: an authority that leaves the bundle takes its open connections along", async () => {
  await using server = await TargetServer.start("hello-grpc");
  const old = server.own.issue("/visitor");
  const socket = dial(server.port, old);
  await once(socket, "data");
  server.own.rotateAuthority();
  server.rotate();
  const kept = dial(server.port, server.own.issue("/visitor"));
  await once(kept, "data");
  assert.equal(socket.destroyed, false);
  server.own.dropOldAuthorities();
  server.rotate();
  await closed(socket);
  assert.equal(kept.destroyed, false);
  kept.destroy();
  await closed(dial(server.port, old));
  assert.ok(server.said.filter((line) => /X509_SVID_UNTRUSTED/.test(line)).length >= 1);
});

test("P3.1: a caller without a certificate, and one without TLS, reach no handler", async () => {
  await using server = await TargetServer.start("hello-grpc");
  await closed(dial(server.port, undefined));
  await server.until(/^refused: PEER_ANONYMOUS/);
  await assert.rejects(helloOnce(server.port, credentials.createInsecure()));
  const stranger = grpcCredentials({
    source: server.other.source("/visitor", { trusting: [server.own] }),
    authorize: toServer,
  });
  await assert.rejects(helloOnce(server.port, stranger));
  await server.until(/^refused: PEER_NOT_AUTHORIZED/);
  assert.equal(server.handled, 0);
});

test("P3.2: an ID that is only said in a header is not the caller's", async () => {
  await using server = await TargetServer.start("hello-https");
  const claim = "spiffe://example.org/admin";
  const answer = await fetchText(server.port, visitor(server), {
    headers: {
      "x-forwarded-client-cert": `By=${SERVER_ID};URI=${claim}`,
      "x-spiffe-id": claim,
      "x-forwarded-for": claim,
      forwarded: `for="${claim}"`,
      authorization: `Bearer ${claim}`,
      host: claim,
    },
  });
  assert.equal(answer, "Hello spiffe://example.org/visitor from the server");
  await server.until(/^called by spiffe:\/\/example.org\/visitor$/);
});

test("P4.1: three rotations of both ends and of the authority, under traffic, fail no call", async () => {
  await using server = await TargetServer.start("hello-grpc");
  const source = visitor(server);
  await using client = openRotatingGrpcClient({
    source,
    authorize: toServer,
    open: (channelCredentials) => grpcClient(server.port, channelCredentials),
  });
  const traffic = { stop: false, served: 0 };
  const running = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (!traffic.stop) {
        await hello(client.current);
        traffic.served++;
      }
    }),
  );
  running.catch(() => (traffic.stop = true));
  for (let i = 0; i < 3; i++) {
    const enough = traffic.served + 25;
    const before = client.current;
    server.own.rotateAuthority();
    // Everybody learns the new authority before anybody shows it, as a server does it.
    source.refreshBundles();
    server.rotate();
    source.rotate();
    while ((traffic.served < enough || client.current === before) && !traffic.stop) await turn();
  }
  traffic.stop = true;
  await running;
  assert.ok(traffic.served >= 75);
});

test("P4.2: a key from before the last rotation buys nothing once its SVID has ended or its authority is gone", async () => {
  await using server = await TargetServer.start("hello-grpc");
  const now = Date.now();
  const ended = server.own.issue("/visitor", { notBefore: now - 60_000, notAfter: now - 1000 });
  await closed(dial(server.port, ended));
  await server.until(/^refused: X509_SVID_UNTRUSTED.*PATH_EXPIRED$/);
  const old = server.own.issue("/visitor");
  server.own.rotateAuthority();
  server.own.dropOldAuthorities();
  server.rotate();
  // The server has the new bundle once it accepts what the new authority signed.
  const mine = grpcCredentials({ source: visitor(server), authorize: toServer });
  await eventually(() => helloOnce(server.port, mine));
  const handled = server.handled;
  await closed(dial(server.port, old));
  await server.until(/^refused: X509_SVID_UNTRUSTED.*PATH_UNKNOWN_AUTHORITY$/);
  assert.equal(server.handled, handled);
});

function visitor(server: TargetServer): TestSource {
  return server.own.source("/visitor", { trusting: [server.other] });
}

/** A client of the other domain that claims an ID of the server's. */
function forger(server: TargetServer): TestSource {
  const source = server.other.source("/x", { trusting: [server.own] });
  source.rotate(server.other.forge("spiffe://example.org/visitor"));
  return source;
}

function forgedServer(server: TargetServer): TestSource {
  const source = server.other.source("/x", { trusting: [server.own] });
  source.rotate(server.other.forge(SERVER_ID));
  return source;
}

function dial(
  port: number,
  svid: X509Svid | undefined,
  options: { readonly maxVersion?: SecureVersion; readonly session?: Buffer } = {},
): TLSSocket {
  const socket = connect({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    ...secureContextOptions(svid),
    ...options,
  });
  socket.on("error", () => {});
  return socket;
}

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

async function fetchText(
  port: number,
  source: TestSource,
  options: RequestOptions = {},
): Promise<string> {
  const agent = createHttpsAgent({ source, authorize: everybody });
  try {
    return await new Promise((resolve, reject) => {
      get({ host: "127.0.0.1", port, agent, ...options }, (response) => {
        let text = "";
        response.on("data", (chunk) => (text += String(chunk)));
        response.on("end", () => {
          resolve(text);
        });
      }).on("error", reject);
    });
  } finally {
    agent.destroy();
  }
}

function grpcClient(port: number, with_: ConstructorParameters<typeof Client>[1]): Client {
  return new Client(`127.0.0.1:${port}`, with_, { "grpc.use_local_subchannel_pool": 1 });
}

async function helloOnce(
  port: number,
  with_: ConstructorParameters<typeof Client>[1],
): Promise<string> {
  const client = grpcClient(port, with_);
  try {
    return await hello(client);
  } finally {
    client.close();
  }
}

function hello(client: Client): Promise<string> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      "/hello.Greeter/SayHello",
      (text: string) => Buffer.from(JSON.stringify({ text })),
      (bytes: Buffer) => String(Reflect.get(Object(JSON.parse(String(bytes))), "text")),
      "hello",
      { deadline: Date.now() + 10_000 },
      (error, text) => {
        if (error === null) resolve(text ?? "");
        else reject(error);
      },
    );
  });
}

async function eventually<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch {
      await turn();
    }
  }
}

function portOf(server: { address(): unknown }): number {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null && "port" in address);
  return Number(address.port);
}

function coded(code: string): { readonly code: string } {
  return { code };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
