import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type Agent } from "node:https";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { isBonafideError } from "@bonafide/errors";
import { ManualClock } from "@bonafide/lifetime/testing";
import {
  Client,
  credentials,
  Metadata,
  Server,
  type ServerUnaryCall,
  type sendUnaryData,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { TestTrustDomain, type TestSource } from "../testing/test-trust-domain.ts";
import { exactId, memberOf, predicate } from "./authorizer.ts";
import type { TlsConnectorOptions } from "./connector.ts";
import { grpcCredentials } from "./grpc-client.ts";
import { createGrpcAcceptor, grpcPeer } from "./grpc-server.ts";
import { createHttpsAgent, undiciConnect } from "./https-agent.ts";
import { createHttpsServer, httpPeer } from "./https-server.ts";
import { openRotatingGrpcClient } from "./rotating-grpc-client.ts";

const everybody = predicate("anybody who was verified", () => true);
const toServer = exactId("spiffe://a.example/server");

interface Fixture {
  readonly a: TestTrustDomain;
  readonly b: TestTrustDomain;
  readonly server: TestSource;
  readonly client: TestSource;
  /** A client whose leaf names domain a and whose signer is domain b. */
  readonly forged: TestSource;
}

function fixture(): Fixture {
  const a = new TestTrustDomain("a.example");
  const b = new TestTrustDomain("b.example");
  const forged = b.source("/x", { trusting: [a] });
  forged.rotate(b.forge("spiffe://a.example/admin"));
  return {
    a,
    b,
    server: a.source("/server", { trusting: [b] }),
    client: a.source("/client", { trusting: [b] }),
    forged,
  };
}

test("https: the handler gets the verified peer, a forged one reaches no handler", async () => {
  const { server, client, forged, b } = fixture();
  let requests = 0;
  const refused: string[] = [];
  await using https = createHttpsServer(
    { source: server, authorize: everybody, onRefused: ({ error }) => refused.push(error.code) },
    (request, response) => {
      requests++;
      assert.equal(httpPeer(request), request.peer);
      response.end(`Hello ${request.peer.spiffeId}`);
    },
  );
  const port = await https.listen({ port: 0, host: "127.0.0.1" });
  await using agents = new Agents();
  const mine = agents.open({ source: client, authorize: toServer });
  assert.equal(await fetchText(port, mine), "Hello spiffe://a.example/client");
  const foreign = agents.open({
    source: b.source("/f", { trusting: [fixture().a] }),
    authorize: everybody,
  });
  await assert.rejects(fetchText(port, foreign), (e) => isBonafideError(e, "X509_SVID_UNTRUSTED"));
  assert.equal(requests, 1);

  const evil = agents.open({ source: forged, authorize: everybody });
  await assert.rejects(fetchText(port, evil));
  assert.equal(refused.at(-1), "X509_SVID_UNTRUSTED");
  assert.equal(requests, 1);

  const choosy = agents.open({ source: client, authorize: exactId("spiffe://a.example/else") });
  await assert.rejects(fetchText(port, choosy), (e) => isBonafideError(e, "PEER_NOT_AUTHORIZED"));
  assert.equal(requests, 1);
});

test("https: a server whose leaf was forged by another domain gets no byte of a request", async () => {
  const { client, forged } = fixture();
  let requests = 0;
  await using https = createHttpsServer({ source: forged, authorize: everybody }, () => {
    requests++;
  });
  const port = await https.listen({ port: 0, host: "127.0.0.1" });
  await using agents = new Agents();
  const agent = agents.open({ source: client, authorize: everybody });
  await assert.rejects(fetchText(port, agent), (e) => isBonafideError(e, "X509_SVID_UNTRUSTED"));
  assert.equal(requests, 0);
});

test("https: three rotations of both ends under traffic fail no request, and each is followed", async () => {
  const { a, server, client } = fixture();
  await using https = createHttpsServer(
    { source: server, authorize: memberOf("a.example") },
    (request, response) => {
      response.end(`${request.peer.path[0]?.serialText} `);
    },
  );
  const port = await https.listen({ port: 0, host: "127.0.0.1" });
  await using agents = new Agents();
  const agent = agents.open({ source: client, authorize: toServer, agent: { maxSockets: 4 } });
  const traffic = new Traffic(6, () => fetchText(port, agent));
  for (let i = 0; i < 3; i++) {
    await traffic.more(20);
    a.rotateAuthority();
    server.refreshBundles();
    client.refreshBundles();
    server.rotate();
    const svid = client.rotate();
    while ((await fetchText(port, agent)) !== `${svid.chain[0].serialText} `) await turn();
  }
  assert.ok((await traffic.end()) > 60);
});

test("https: a slow request finishes on the connection of the old SVID, which is then not used again", async () => {
  const { server, client } = fixture();
  const held = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  await using https = createHttpsServer(
    { source: server, authorize: everybody },
    (request, response) => {
      const answer = (): unknown => response.end(request.peer.path[0]?.serialText);
      if (request.url === "/slow") {
        arrived.resolve();
        void held.promise.then(answer);
      } else answer();
    },
  );
  const port = await https.listen({ port: 0, host: "127.0.0.1" });
  await using agents = new Agents();
  const agent = agents.open({ source: client, authorize: toServer });
  const old = client.current().chain[0].serialText;
  const slow = fetchText(port, agent, "/slow");
  await arrived.promise;
  const fresh = client.rotate().chain[0].serialText;
  held.resolve();
  assert.equal(await slow, old);
  assert.equal(await fetchText(port, agent), fresh);
});

test("https: a connection that is about to end says so, and its client comes back on a new one", async () => {
  const { server, client } = fixture();
  await using https = createHttpsServer(
    { source: server, authorize: everybody },
    (_q, response) => {
      response.end("x");
    },
  );
  const port = await https.listen({ port: 0, host: "127.0.0.1" });
  await using agents = new Agents();
  const agent = agents.open({ source: client, authorize: toServer });
  await fetchText(port, agent);
  https.retireAll();
  await fetchText(port, agent);
  while (https.connections > 0) await turn();
  assert.equal(await fetchText(port, agent), "x");
});

test("https: a header that takes too long ends its connection", async () => {
  const { a, server } = fixture();
  await using https = createHttpsServer(
    {
      source: server,
      authorize: everybody,
      http: { headersTimeout: 40, requestTimeout: 50, connectionsCheckingInterval: 10 },
    },
    () => {},
  );
  const port = await https.listen({ port: 0, host: "127.0.0.1" });
  const { chain, privateKey } = a.issue("/slow");
  const { secureContextOptions } = await import("./secure-context.ts");
  const socket = connectTls({
    port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ...secureContextOptions({ ...a.issue("/slow"), chain, privateKey }),
  });
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n");
  let answer = "";
  socket.on("data", (data) => (answer += String(data)));
  await once(socket, "close");
  assert.match(answer, /^HTTP\/1.1 408 /);
});

test("undici: the connect function opens verified sockets and reports the reason otherwise", async () => {
  const { server, client } = fixture();
  await using https = createHttpsServer({ source: server, authorize: everybody }, () => {});
  const port = String(await https.listen({ port: 0, host: "127.0.0.1" }));
  const open = (authorize: TlsConnectorOptions["authorize"]): Promise<unknown> =>
    new Promise((resolve) => {
      undiciConnect({ source: client, authorize })({ hostname: "127.0.0.1", port }, (error, s) => {
        resolve(error ?? s?.alpnProtocol);
      });
    });
  assert.equal(await open(toServer), "http/1.1");
  const error = await open(exactId("spiffe://a.example/else"));
  assert.ok(isBonafideError(error, "PEER_NOT_AUTHORIZED"));
});

test("grpc: the handler gets the verified peer, and a forged one gets no handler, on either end", async () => {
  const { server, client, forged } = fixture();
  const refused: string[] = [];
  await using grpc = await serve(server, refused);
  const open = (options: TlsConnectorOptions): Client => grpc.client(grpcCredentials(options));
  const mine = open({ source: client, authorize: toServer });
  assert.equal(await hello(mine), "Hello spiffe://a.example/client");

  await assert.rejects(
    hello(open({ source: forged, authorize: everybody })),
    (e) => isServiceError(e) && e.code === status.UNAVAILABLE,
  );
  assert.ok(refused.length > 0 && refused.every((code) => code === "X509_SVID_UNTRUSTED"));

  const choosy = open({ source: client, authorize: exactId("spiffe://a.example/else") });
  await assert.rejects(
    hello(choosy),
    (e) => isServiceError(e) && /spiffe:\/\/a.example\/server is not admitted/.test(e.details),
  );
  await assert.rejects(hello(grpc.client(credentials.createInsecure())));
  assert.equal(grpc.handled, 1);

  await using evil = await serve(forged, []);
  await assert.rejects(
    hello(evil.client(grpcCredentials({ source: client, authorize: everybody }))),
    (e) => isServiceError(e) && /PATH_UNKNOWN_AUTHORITY/.test(e.details),
  );
  assert.equal(evil.handled, 0);
});

test("grpc: an identity that is only said in a header is no identity", async () => {
  const { server, client } = fixture();
  await using grpc = await serve(server, []);
  const metadata = new Metadata();
  for (const name of ["x-spiffe-id", "x-forwarded-client-cert", "authorization"]) {
    metadata.set(name, "spiffe://a.example/admin");
  }
  const mine = grpc.client(grpcCredentials({ source: client, authorize: toServer }));
  assert.equal(await hello(mine, metadata), "Hello spiffe://a.example/client");
  assert.throws(
    () => grpcPeer({ getPeer: () => "127.0.0.1:80" }),
    (error) => isBonafideError(error, "PEER_ANONYMOUS"),
  );
});

test("grpc: three rotations of both ends under traffic fail no call, and each is followed", async () => {
  const { a, server, client } = fixture();
  await using grpc = await serve(server, []);
  await using rotating = openRotatingGrpcClient({
    source: client,
    authorize: toServer,
    open: (channelCredentials) => grpc.client(channelCredentials),
  });
  const traffic = new Traffic(4, () => hello(rotating.current));
  for (let i = 0; i < 3; i++) {
    await traffic.more(20);
    a.rotateAuthority();
    server.refreshBundles();
    client.refreshBundles();
    server.rotate();
    const svid = client.rotate();
    while (grpc.lastSerial !== svid.chain[0].serialText) await turn();
  }
  assert.ok((await traffic.end()) > 60);
});

test("grpc: the old client closes after its grace, since calls that have no stream yet would fail", async () => {
  const { server, client } = fixture();
  await using grpc = await serve(server, []);
  const clock = new ManualClock(Date.now());
  const opened: { readonly client: Client; closed: boolean }[] = [];
  await using rotating = openRotatingGrpcClient({
    source: client,
    authorize: toServer,
    clock,
    open: (channelCredentials) => {
      const one = { client: grpc.client(channelCredentials), closed: false };
      const close = one.client.close.bind(one.client);
      one.client.close = () => {
        one.closed = true;
        close();
      };
      opened.push(one);
      return one.client;
    },
  });
  await hello(rotating.current);
  client.rotate();
  while (rotating.current === opened[0]?.client) await turn();
  await clock.advance(4999);
  assert.equal(opened[0]?.closed, false);
  assert.match(await hello(opened[0].client), /^Hello/);
  await clock.advance(1);
  assert.equal(opened[0].closed, true);
  assert.equal(opened[1]?.closed, false);
  client.rotate();
  while (rotating.current === opened[1]?.client) await turn();
  await rotating.close();
  assert.deepEqual(
    opened.map((one) => one.closed),
    [true, true, true],
  );
});

test("grpc: a client that is asked to move by GOAWAY moves without a failed call", async () => {
  const { server, client } = fixture();
  await using grpc = await serve(server, []);
  const mine = grpc.client(grpcCredentials({ source: client, authorize: toServer }));
  await hello(mine);
  const fresh = client.rotate();
  for (let i = 0; i < 3; i++) {
    grpc.retireAll();
    for (let call = 0; call < 5; call++) await hello(mine);
  }
  assert.equal(grpc.lastSerial, fresh.chain[0].serialText);
});

/** Calls in parallel until it is ended; a failed call fails the end. */
class Traffic {
  readonly #running: Promise<unknown>;
  #stop = false;
  #served = 0;

  constructor(width: number, call: () => Promise<unknown>) {
    this.#running = Promise.all(Array.from({ length: width }, () => this.#run(call)));
    // Asserted by `end`; until then a failure must not end the process.
    this.#running.catch(() => {});
  }

  async more(count: number): Promise<void> {
    const enough = this.#served + count;
    while (this.#served < enough && !this.#stop) await turn();
  }

  async end(): Promise<number> {
    this.#stop = true;
    await this.#running;
    return this.#served;
  }

  async #run(call: () => Promise<unknown>): Promise<void> {
    try {
      while (!this.#stop) {
        await call();
        this.#served++;
      }
    } finally {
      this.#stop = true;
    }
  }
}

/** Agents that are destroyed at the end of a test. */
class Agents implements AsyncDisposable {
  readonly #agents: Agent[] = [];

  open(options: Parameters<typeof createHttpsAgent>[0]): Agent {
    const agent = createHttpsAgent(options);
    this.#agents.push(agent);
    return agent;
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) agent.destroy();
    return Promise.resolve();
  }
}

function fetchText(port: number, agent: Agent, path = "/"): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        resolve(text);
      });
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

const METHOD = {
  path: "/hello.Greeter/SayHello",
  requestStream: false,
  responseStream: false,
  requestSerialize: (text: string): Buffer => Buffer.from(text),
  requestDeserialize: (bytes: Buffer): string => String(bytes),
  responseSerialize: (text: string): Buffer => Buffer.from(text),
  responseDeserialize: (bytes: Buffer): string => String(bytes),
} as const;

interface Greeter extends AsyncDisposable {
  readonly handled: number;
  readonly lastSerial: string;
  client(channelCredentials: Parameters<typeof grpcClient>[1]): Client;
  retireAll(): void;
}

async function serve(source: TestSource, refused: string[]): Promise<Greeter> {
  const server = new Server();
  const seen = { handled: 0, lastSerial: "" };
  server.addService(
    { sayHello: METHOD },
    {
      sayHello(call: ServerUnaryCall<string, string>, callback: sendUnaryData<string>): void {
        const peer = grpcPeer(call);
        seen.handled++;
        seen.lastSerial = peer.path[0]?.serialText ?? "";
        callback(null, `Hello ${peer.spiffeId}`);
      },
    },
  );
  const acceptor = createGrpcAcceptor(server, {
    source,
    authorize: everybody,
    onRefused: ({ error }) => refused.push(error.code),
  });
  const port = await acceptor.listen({ port: 0, host: "127.0.0.1" });
  const clients: Client[] = [];
  return {
    get handled() {
      return seen.handled;
    },
    get lastSerial() {
      return seen.lastSerial;
    },
    client(channelCredentials) {
      const client = grpcClient(port, channelCredentials);
      clients.push(client);
      return client;
    },
    retireAll: () => {
      acceptor.retireAll();
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close();
      await acceptor.close();
      server.forceShutdown();
    },
  };
}

function grpcClient(
  port: number,
  channelCredentials: ConstructorParameters<typeof Client>[1],
): Client {
  return new Client(`127.0.0.1:${port}`, channelCredentials, {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 50,
  });
}

function hello(client: Client, metadata: Metadata = new Metadata()): Promise<string> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      METHOD.path,
      METHOD.requestSerialize,
      METHOD.responseDeserialize,
      "x",
      metadata,
      { deadline: Date.now() + 5000 },
      (error, text) => {
        if (error === null) resolve(text ?? "");
        else reject(error);
      },
    );
  });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "details" in error && "code" in error;
}

async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
