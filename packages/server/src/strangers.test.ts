import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { test } from "node:test";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { encodePrivateKey, formatPem, generateKey } from "@bonafide/pki";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { LIMITS } from "./limits.ts";
import {
  collect,
  failureOf,
  joinRequest,
  openTestServer,
  type TestServer,
  type TestSvid,
} from "./testing/test-server.ts";

const ATTEST = "/spire.api.server.agent.v1.Agent/AttestAgent";

function dial(srv: TestServer, options: ConnectionOptions = {}): TLSSocket {
  const socket = connectTls({
    port: srv.server.port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    ...options,
  });
  socket.on("error", () => {});
  return socket;
}

async function secured(srv: TestServer, options?: ConnectionOptions): Promise<TLSSocket> {
  const socket = dial(srv, options);
  await once(socket, "secureConnect");
  return socket;
}

/** Whether the server goes through the handshake with a connection, or closes it. */
function isTaken(socket: TLSSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once("secureConnect", () => resolve(true));
    socket.once("close", () => resolve(false));
    socket.resume();
  });
}

function shown(svid: TestSvid): ConnectionOptions {
  return {
    cert: svid.chain.map((der) => formatPem("CERTIFICATE", der)).join(""),
    key: formatPem("PRIVATE KEY", encodePrivateKey(svid.privateKey)),
  };
}

async function session(srv: TestServer): Promise<ClientHttp2Session> {
  const socket = await secured(srv);
  const opened = connect("http://localhost", {
    createConnection: () => socket,
    // A client that keeps to no limit of the server's.
    peerMaxConcurrentStreams: 10_000,
  });
  opened.on("error", () => {});
  return opened;
}

/** A call that announces a message of so many bytes and sends some of them. */
function announce(
  opened: ClientHttp2Session,
  announced: number,
  sent: number,
): { readonly stream: ClientHttp2Stream; readonly end: Promise<number | "refused" | "cut"> } {
  const stream = opened.request({
    ":method": "POST",
    ":path": ATTEST,
    "content-type": "application/grpc",
    te: "trailers",
  });
  const { promise: end, resolve } = Promise.withResolvers<number | "refused" | "cut">();
  const status = (headers: Record<string, unknown>): void => {
    if (headers["grpc-status"] !== undefined) resolve(Number(headers["grpc-status"]));
  };
  stream.on("error", () => {});
  stream.on("response", status);
  stream.on("trailers", status);
  stream.on("close", () => {
    resolve(stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? "refused" : "cut");
  });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(announced, 1);
  stream.write(Buffer.concat([head, Buffer.alloc(sent)]));
  return { stream, end };
}

test("strangers of one address cannot make the server hold more than a quarter of a GiB", () => {
  const { strangersPerAddress, strangerStreams, strangerRequestBytes } = LIMITS;
  assert.ok(strangersPerAddress * strangerStreams * strangerRequestBytes <= 2 ** 28);
});

test("a stranger that opens 256 calls at once gets a few; the rest are refused unread", async () => {
  await using srv = await openTestServer();
  const opened = await session(srv);
  const size = LIMITS.strangerRequestBytes;
  const calls = Array.from({ length: 256 }, () => announce(opened, size, 1000));
  let refused = 0;
  const enough = Promise.withResolvers<void>();
  const count = async (end: Promise<number | "refused" | "cut">): Promise<void> => {
    if ((await end) !== "refused") return;
    refused++;
    if (refused === 256 - LIMITS.strangerStreams) enough.resolve();
  };
  for (const { end } of calls) void count(end);
  await enough.promise;
  assert.equal(calls.filter(({ stream }) => !stream.closed).length, LIMITS.strangerStreams);
  opened.destroy();
});

test("a stranger's request beyond the limit is refused by what it announces, before it is read", async () => {
  await using srv = await openTestServer();
  const opened = await session(srv);
  const { end } = announce(opened, 4_000_000, 10);
  assert.equal(await end, 8, "RESOURCE_EXHAUSTED");
  opened.destroy();
});

test("a stranger's request in tiny pieces is cut off", async () => {
  await using srv = await openTestServer();
  const opened = await session(srv);
  const { stream, end } = announce(opened, 100_000, 0);
  for (let i = 0; i <= LIMITS.strangerRequestFrames && !stream.closed; i++) {
    await new Promise((resolve) => {
      stream.write(Buffer.of(0), resolve);
    });
  }
  assert.equal(await end, "cut");
  assert.equal(stream.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  opened.destroy();
});

test("the largest honest attestation gets through to its judgement", async () => {
  await using srv = await openTestServer();
  const token = "a".repeat(LIMITS.attestationBytes);
  const requests = joinRequest(token, generateKey("ec-p256"));
  const { code } = await failureOf(collect(srv.remote(Agent).attestAgent(requests)));
  assert.equal(code, "ATTESTATION_FAILED");
});

test("strangers of one address get so many connections, members do not count, and a line says why", async () => {
  await using srv = await openTestServer({ options: { strangersPerAddress: 3 } });
  const svid = await srv.join();
  const member = srv.remote(Agent, svid);
  await member.postStatus({});
  const held = [];
  // The join's own connection is the first of the three.
  for (let i = 0; i < 2; i++) held.push(await secured(srv));
  for (let i = 0; i < 5; i++) {
    assert.equal(await isTaken(dial(srv)), false);
  }
  const lines = srv.events.filter(({ event }) => event === "tls.connection_refused");
  assert.equal(lines.length, 1);
  assert.equal(lines[0]?.fields?.["reason"], "this address has as many as it may have");
  await member.postStatus({});
  // A place is given back with its connection, and not before.
  const [first] = held;
  first?.destroy();
  while (held.length < 3) {
    const next = dial(srv);
    if (await isTaken(next)) held.push(next);
  }
  for (const socket of held) socket.destroy();
});

test("a member's connection beyond its limit is told so, and its others go on", async () => {
  await using srv = await openTestServer();
  const svid = await srv.join();
  const first = srv.remote(Agent, svid);
  await first.postStatus({});
  const held = [];
  for (let i = 1; i < LIMITS.memberConnections; i++) {
    const socket = await secured(srv, shown(svid));
    // Over TLS 1.3 a client is done before the server has judged it; its settings come after that.
    await once(socket, "data");
    held.push(socket);
  }
  const { code, status } = await failureOf(srv.remote(Agent, svid).postStatus({}));
  assert.deepEqual([code, status], ["OVERLOADED", "resource_exhausted"]);
  await first.postStatus({});
  for (const socket of held) socket.destroy();
});

test("a refused certificate is told why on a stranger's connection, and anybody may have the bundle", async () => {
  await using srv = await openTestServer({ options: { strangersPerAddress: 4 } });
  await using elsewhere = await openTestServer();
  const forged = await elsewhere.join();
  const { code } = await failureOf(srv.remote(Agent, forged).postStatus({}));
  assert.equal(code, "CALLER_CERTIFICATE_REFUSED");
  const { x509Authorities } = await srv.remote(Bundle).getBundle({});
  assert.equal(x509Authorities.length, 1);
});
