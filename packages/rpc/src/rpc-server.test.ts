import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import {
  Echo,
  type EchoMessage,
  EchoMessageSchema,
} from "@bonafide/proto/bonafide/testing/v1/echo_pb";
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from "@bonafide/proto/grpc/health/v1/health_pb";
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "@bonafide/proto/grpc/reflection/v1/reflection_pb";
import {
  ServerReflection as ServerReflectionAlpha,
  ServerReflectionResponseSchema as ResponseAlphaSchema,
} from "@bonafide/proto/grpc/reflection/v1alpha/reflection_pb";
import { SpiffeWorkloadAPI } from "@bonafide/proto/workload_pb";
import {
  create,
  createFileRegistry,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  addHealth,
  addReflection,
  addService,
  type Client,
  createClient,
  HealthRegistry,
  RpcError,
  type RpcServer,
} from "./index.ts";
import { REFLECTION_REQUESTS_MAX } from "./limits.ts";
import { openTestServer } from "./testing/index.ts";

interface Held {
  readonly started: Promise<void>;
  release(): void;
}

/** Adds an Echo whose Say waits to be released, for calls that have to be running. */
function addHeldEcho(server: RpcServer<string>): Held {
  const started = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  addService(server, Echo, {
    async say(request, { signal }) {
      started.resolve();
      await Promise.race([released.promise, once(signal, "abort")]);
      return request;
    },
    async *repeat(request, { peer, connection }) {
      yield { ...request, text: `${peer} by ${connection.id}` };
    },
  });
  return { started: started.promise, release: released.resolve };
}

async function statusOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    assert.ok(error instanceof RpcError, String(error));
    return error.status;
  }
}

async function firstOf<T>(answers: AsyncIterable<T>): Promise<T | undefined> {
  for await (const answer of answers) return answer;
  return undefined;
}

/** A Duplex over a socket, as one that rewrites bytes on their way would be. */
function wrap(socket: Socket): Duplex {
  const duplex = new Duplex({
    read: () => {
      socket.resume();
    },
    write: (chunk: Uint8Array, _encoding, done) => {
      socket.write(chunk, done);
    },
    final: (done) => {
      socket.end(done);
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk) => {
    if (!duplex.push(chunk)) socket.pause();
  });
  socket.on("end", () => duplex.push(null));
  socket.on("close", () => duplex.destroy());
  return duplex;
}

test("each connection has its own peer, whatever calls come by it", async () => {
  let count = 0;
  await using opened = await openTestServer(() => `peer ${++count}`);
  addHeldEcho(opened.server);
  const [one, two] = [opened.channel(), opened.channel()].map((each) => createClient(Echo, each));
  assert.ok(one !== undefined && two !== undefined);
  assert.equal((await firstOf(one.repeat({})))?.text, "peer 1 by conn-1");
  assert.equal((await firstOf(two.repeat({})))?.text, "peer 2 by conn-2");
  assert.equal((await firstOf(one.repeat({})))?.text, "peer 1 by conn-1");
  assert.equal(opened.server.connectionCount, 2);
});

test("a connection that is a Duplex over a socket has its peer too", async () => {
  await using opened = await openTestServer(() => "wrapped", { wrap });
  addHeldEcho(opened.server);
  const echo = createClient(Echo, opened.channel());
  for (let i = 0; i < 3; i++) {
    assert.equal((await firstOf(echo.repeat({})))?.text, "wrapped by conn-1");
  }
});

test("a call by a connection that nobody can name reaches neither check nor handler", async () => {
  const seen: string[] = [];
  await using opened = await openTestServer(() => "peer", {
    check: ({ path }) => seen.push(path),
    // As if the transport had lost what says by which connection a call came.
    wrap: (socket) => {
      queueMicrotask(() => {
        Object.defineProperty(socket, "remoteAddress", { value: "192.0.2.1" });
      });
      return socket;
    },
  });
  addService(opened.server, Echo, {
    say: (request) => {
      seen.push("handler");
      return request;
    },
  });
  const echo = createClient(Echo, opened.channel());
  await assert.rejects(echo.say({}), { status: "unauthenticated", reason: "CONNECTION_UNKNOWN" });
  assert.deepEqual(seen, []);
});

test("a connection's end is told, and its calls end", async () => {
  await using opened = await openTestServer(() => "peer");
  const ended = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  addService(opened.server, Echo, {
    async *repeat(request, { signal, connection }) {
      connection.closed.addEventListener("abort", () => closed.resolve());
      yield request;
      await once(signal, "abort");
      ended.resolve();
    },
  });
  const answers = createClient(Echo, opened.channel()).repeat({});
  await answers.next();
  assert.equal(opened.server.connectionCount, 1);
  const rest = answers.next();
  await opened.server.close();
  await Promise.all([ended.promise, closed.promise]);
  assert.equal(opened.server.connectionCount, 0);
  assert.equal(await statusOf(rest), "unavailable");
});

test("one connection can be ended alone, gently or at once", async () => {
  let peers = 0;
  await using opened = await openTestServer(() => `peer ${++peers}`);
  addService(opened.server, Echo, {
    async *repeat(request, { connection, peer }) {
      if (request.text === "drain") connection.drain(60_000);
      if (request.text === "destroy") connection.destroy();
      yield { text: peer };
    },
  });
  const echo = createClient(Echo, opened.channel());
  const other = createClient(Echo, opened.channel());
  assert.equal((await firstOf(echo.repeat({})))?.text, "peer 1");
  assert.equal((await firstOf(other.repeat({})))?.text, "peer 2");
  assert.equal((await firstOf(echo.repeat({ text: "drain" })))?.text, "peer 1");
  assert.equal((await firstOf(echo.repeat({}, { waitForReady: true })))?.text, "peer 3");
  assert.notEqual(await statusOf(firstOf(echo.repeat({ text: "destroy" }))), "ok");
  assert.equal((await firstOf(other.repeat({})))?.text, "peer 2");
});

test("a drained server lets running calls end and takes no new connection", async () => {
  const opened = await openTestServer(() => "peer");
  const held = addHeldEcho(opened.server);
  const echo = createClient(Echo, opened.channel());
  const running = echo.say({ text: "running" });
  await held.started;
  const drained = opened.server.drain(60_000);
  const late = createClient(Echo, opened.channel()).say({ text: "late" });
  assert.equal(await statusOf(late), "unavailable");
  held.release();
  assert.equal((await running).text, "running");
  await drained;
  assert.equal(opened.server.connectionCount, 0);
  await opened.close();
});

test("a drained server cancels what still runs after the grace", async () => {
  const opened = await openTestServer(() => "peer");
  const held = addHeldEcho(opened.server);
  const outcome = statusOf(createClient(Echo, opened.channel()).say({}));
  await held.started;
  await opened.server.drain(1);
  assert.notEqual(await outcome, "ok");
  assert.equal(opened.server.connectionCount, 0);
  await opened.close();
});

test("a server closes connections beyond its limit at once", async () => {
  await using opened = await openTestServer(() => "peer", { connectionsMax: 1 });
  addHeldEcho(opened.server);
  const first = createClient(Echo, opened.channel());
  assert.equal((await firstOf(first.repeat({})))?.text, "peer by conn-1");
  const second = createClient(Echo, opened.channel());
  assert.equal(await statusOf(firstOf(second.repeat({}))), "unavailable");
  assert.equal((await firstOf(first.repeat({})))?.text, "peer by conn-1");
});

test("bytes that are not HTTP/2 close their connection and nothing else", async () => {
  await using opened = await openTestServer(() => "peer");
  addHeldEcho(opened.server);
  const echo = createClient(Echo, opened.channel());
  for (const bytes of [
    Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    Buffer.alloc(100_000, 0xff),
    Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Buffer.alloc(64, 0xee)]),
  ]) {
    const socket = connect(opened.path);
    socket.on("error", () => {});
    socket.end(bytes);
    socket.resume();
    await once(socket, "close");
  }
  assert.equal((await firstOf(echo.repeat({})))?.text.startsWith("peer"), true);
});

test("calls at a time on one connection are limited", async () => {
  let running = 0;
  let most = 0;
  await using opened = await openTestServer(() => "peer", { streamsPerConnectionMax: 4 });
  addService(opened.server, Echo, {
    async say(request) {
      most = Math.max(most, ++running);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      running--;
      return request;
    },
  });
  const echo = createClient(Echo, opened.channel());
  await echo.say({});
  const all: EchoMessage[] = await Promise.all(Array.from({ length: 40 }, () => echo.say({})));
  assert.equal(all.length, 40);
  assert.ok(most <= 4, `${most} ran at a time`);
});

test("the health of a server and its services is shown, listed and watched", async () => {
  await using opened = await openTestServer(() => "peer");
  const health = new HealthRegistry();
  addHealth(opened.server, health);
  const client = createClient(Health, opened.channel());
  assert.equal((await client.check({})).status, Serving.UNKNOWN);
  health.set("", "serving");
  health.set("a.B", "not_serving");
  assert.equal((await client.check({})).status, Serving.SERVING);
  assert.equal((await client.check({ service: "a.B" })).status, Serving.NOT_SERVING);
  await assert.rejects(client.check({ service: "a.C" }), {
    status: "not_found",
    reason: "HEALTH_SERVICE_UNKNOWN",
  });
  const { statuses } = await client.list({});
  assert.deepEqual(
    Object.entries(statuses).map(([name, { status }]) => [name, status]),
    [
      ["", Serving.SERVING],
      ["a.B", Serving.NOT_SERVING],
    ],
  );
  const watch = client.watch({ service: "a.C" });
  const next = async (): Promise<Serving | undefined> => {
    const { value } = await watch.next();
    return value?.status;
  };
  assert.equal(await next(), Serving.SERVICE_UNKNOWN);
  health.set("a.B", "serving");
  health.set("a.C", "serving");
  assert.equal(await next(), Serving.SERVING);
  health.set("a.C", "not_serving");
  assert.equal(await next(), Serving.NOT_SERVING);
  await watch.return();
  assert.throws(() => {
    for (let i = 0; i < 200; i++) health.set(`many.${i}`, "serving");
  }, RangeError);
});

test("reflection describes every service, whole enough to call it", async () => {
  await using opened = await openTestServer(() => "peer");
  addReflection(opened.server);
  addService(opened.server, SpiffeWorkloadAPI, {});
  addService(opened.server, Echo, { say: (request) => request });
  const ask = asker(createClient(ServerReflection, opened.channel()).serverReflectionInfo);
  const [list] = await ask([{ case: "listServices", value: "" }]);
  assert.deepEqual(
    list?.case === "listServicesResponse" ? list.value.service.map(({ name }) => name) : [],
    [
      "SpiffeWorkloadAPI",
      "bonafide.testing.v1.Echo",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ],
  );
  const answers = await ask([
    { case: "fileContainingSymbol", value: "SpiffeWorkloadAPI" },
    { case: "fileContainingSymbol", value: "bonafide.testing.v1.Echo.Say" },
    { case: "fileContainingSymbol", value: "bonafide.testing.v1.EchoMessage.text" },
    { case: "fileByFilename", value: "google/protobuf/struct.proto" },
    { case: "fileContainingSymbol", value: "google.protobuf.NULL_VALUE" },
  ]);
  const files = answers.map((answer) =>
    answer.case === "fileDescriptorResponse"
      ? answer.value.fileDescriptorProto.map((b) => fromBinary(FileDescriptorProtoSchema, b))
      : [],
  );
  const struct = "google/protobuf/struct.proto";
  const echo = "bonafide/testing/v1/echo.proto";
  assert.deepEqual(
    files.map((each) => each.map(({ name }) => name)),
    [["workload.proto", struct], [echo], [echo], [struct], [struct]],
  );
  const registry = createFileRegistry(
    create(FileDescriptorSetSchema, {
      file: [...(files[0] ?? []), ...(files[1] ?? [])].toReversed(),
    }),
  );
  assert.equal(registry.getService("SpiffeWorkloadAPI")?.methods.length, 7);
  assert.equal(registry.getMessage(EchoMessageSchema.typeName)?.fields.length, 3);
});

test("reflection v1alpha has the same bytes as v1", async () => {
  await using opened = await openTestServer(() => "peer");
  addReflection(opened.server);
  const channel = opened.channel();
  const messageRequest = {
    case: "fileContainingSymbol",
    value: "grpc.reflection.v1alpha.ErrorResponse",
  } as const;
  async function* requests(): AsyncGenerator<{ messageRequest: typeof messageRequest }> {
    yield { messageRequest };
  }
  const v1 = await firstOf(
    createClient(ServerReflection, channel).serverReflectionInfo(requests()),
  );
  const alpha = await firstOf(
    createClient(ServerReflectionAlpha, channel).serverReflectionInfo(requests()),
  );
  assert.ok(v1 !== undefined && alpha !== undefined);
  assert.equal(v1.messageResponse.case, "fileDescriptorResponse");
  assert.deepEqual(
    toBinary(ServerReflectionResponseSchema, v1),
    toBinary(ResponseAlphaSchema, alpha),
  );
});

test("reflection answers what it does not have with an error, and goes on", async () => {
  await using opened = await openTestServer(() => "peer");
  addReflection(opened.server);
  const ask = asker(createClient(ServerReflection, opened.channel()).serverReflectionInfo);
  const answers = await ask([
    { case: "fileByFilename", value: "no.proto" },
    { case: "fileContainingSymbol", value: "no.Such" },
    { case: "fileContainingExtension", value: { containingType: "a.B", extensionNumber: 1 } },
    { case: "allExtensionNumbersOfType", value: "no.Such" },
    { case: "allExtensionNumbersOfType", value: "grpc.reflection.v1.ErrorResponse" },
    { case: undefined },
  ]);
  assert.deepEqual(
    answers.map((answer) =>
      answer.case === "errorResponse" ? answer.value.errorCode : answer.case,
    ),
    [5, 5, 5, 5, "allExtensionNumbersResponse", 3],
  );
});

test("a reflection stream ends after its limit of requests, and another one may be opened", async () => {
  await using opened = await openTestServer(() => "peer");
  addReflection(opened.server);
  const ask = asker(createClient(ServerReflection, opened.channel()).serverReflectionInfo);
  const question: Question = { case: "listServices", value: "" };
  const all = Array.from({ length: REFLECTION_REQUESTS_MAX }, () => question);
  await assert.rejects(ask([...all, question]), {
    status: "resource_exhausted",
    reason: "REFLECTION_TOO_MUCH",
    retry: true,
  });
  const answers = await ask(all);
  assert.equal(answers.length, REFLECTION_REQUESTS_MAX);
});

type Question = MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"] & object;
type Answer = ServerReflectionResponse["messageResponse"];

/** Asks all on one stream and gives the answers in their order. */
function asker(
  info: Client<typeof ServerReflection>["serverReflectionInfo"],
): (questions: readonly Question[]) => Promise<Answer[]> {
  return async (questions) => {
    async function* requests(): AsyncGenerator<{ host: string; messageRequest: Question }> {
      for (const messageRequest of questions) yield { host: "h", messageRequest };
    }
    const answers: Answer[] = [];
    for await (const { validHost, messageResponse } of info(requests())) {
      assert.equal(validHost, "h");
      answers.push(messageResponse);
    }
    return answers;
  };
}

test("a client that ends its side is gone, also on a listener that allows half-open sockets", async () => {
  await using opened = await openTestServer(() => "peer");
  const path = `${opened.path}.half`;
  const listener = createServer({ allowHalfOpen: true }, (socket) => {
    opened.server.inject(socket, "peer");
  });
  listener.listen(path);
  await once(listener, "listening");
  const client = connect({ path, allowHalfOpen: true });
  client.end("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x08");
  client.resume();
  await once(client, "end");
  client.destroy();
  listener.close();
  await once(listener, "close");
});
