// Runs in an empty project, on each Node line: what the published package must be able to do there.
import assert from "node:assert/strict";
import { get } from "node:https";
import process from "node:process";
import {
  createGrpcAcceptor,
  createHttpsAgent,
  createHttpsServer,
  exactId,
  grpcCredentials,
  grpcPeer,
  memberOf,
  openSource,
} from "@bonafide/spiffe";
import { FakeWorkloadApi, TestTrustDomain } from "@bonafide/spiffe/testing";
import { Client, Server } from "@grpc/grpc-js";

const a = new TestTrustDomain("a.example");
const b = new TestTrustDomain("b.example");
const api = await FakeWorkloadApi.open();
api.give({ svids: [a.issue("/server")], bundles: [a.bundle, b.bundle] });
process.env.SPIFFE_ENDPOINT_SOCKET = api.address;
const source = await openSource();
const client = a.source("/client", { trusting: [b] });
const authorize = exactId("spiffe://a.example/server");
const forged = b.source("/x", { trusting: [a] });
forged.rotate(b.forge("spiffe://a.example/admin"));

// HTTPS, twice with a rotation between, then the forged client.
const https = createHttpsServer(
  { source, authorize: memberOf("a.example") },
  (request, response) => {
    response.end(`Hello ${request.peer.spiffeId}`);
  },
);
const httpsPort = await https.listen({ port: 0, host: "127.0.0.1" });
const agent = createHttpsAgent({ source: client, authorize });
const evil = createHttpsAgent({ source: forged, authorize });
assert.equal(await fetchText(agent), "Hello spiffe://a.example/client");
api.give({ svids: [a.issue("/server")], bundles: [a.bundle, b.bundle] });
client.rotate();
assert.equal(await fetchText(agent), "Hello spiffe://a.example/client");
await assert.rejects(fetchText(evil));
for (const one of [agent, evil]) one.destroy();
await https.close();

// gRPC, and the forged client.
const text = { serialize: (s) => Buffer.from(s), deserialize: (bytes) => String(bytes) };
const server = new Server();
server.addService(
  {
    hello: {
      path: "/x.X/Hello",
      requestStream: false,
      responseStream: false,
      requestSerialize: text.serialize,
      requestDeserialize: text.deserialize,
      responseSerialize: text.serialize,
      responseDeserialize: text.deserialize,
    },
  },
  { hello: (incoming, answer) => answer(null, `Hello ${grpcPeer(incoming).spiffeId}`) },
);
const acceptor = createGrpcAcceptor(server, { source, authorize: memberOf("a.example") });
const grpcPort = await acceptor.listen({ port: 0, host: "127.0.0.1" });
assert.equal(await call(client), "Hello spiffe://a.example/client");
await assert.rejects(call(forged));
await acceptor.close();
server.forceShutdown();

await source.close();
await api.close();
process.stdout.write(`Node ${process.version}: mutual TLS, HTTPS and gRPC, forgery refused\n`);

function fetchText(using) {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port: httpsPort, agent: using }, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += chunk)).on("end", () => resolve(body));
    }).on("error", reject);
  });
}

function call(identity) {
  const channel = new Client(
    `127.0.0.1:${grpcPort}`,
    grpcCredentials({ source: identity, authorize }),
  );
  return new Promise((resolve, reject) => {
    const done = (error, answer) => (error ? reject(error) : resolve(answer));
    const options = { deadline: Date.now() + 10_000 };
    channel.makeUnaryRequest("/x.X/Hello", text.serialize, text.deserialize, "x", options, done);
  }).finally(() => channel.close());
}
