import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { BonafideError, type ErrorTable, isBonafideError } from "@bonafide/errors";
import {
  Echo,
  type EchoMessage,
  EchoMessageSchema,
} from "@bonafide/proto/bonafide/testing/v1/echo_pb";
import {
  PermissionDeniedDetails_Reason as Reason,
  PermissionDeniedDetailsSchema,
} from "@bonafide/proto/spire/api/types/status_pb";
import { Metadata } from "@grpc/grpc-js";
import {
  addService,
  type CallReport,
  type Client,
  createClient,
  detail,
  encode,
  type Handlers,
  RpcError,
  type RpcServerOptions,
  withStatus,
} from "./index.ts";
import { openTestServer, type TestServer } from "./testing/index.ts";

const ERRORS = {
  ECHO_REFUSED: { status: "permission_denied", retry: false },
  ECHO_BUSY: { status: "resource_exhausted", retry: true },
} as const;
ERRORS satisfies ErrorTable;

type EchoHandlers = Partial<Handlers<typeof Echo, string>>;

async function openEcho(
  handlers: EchoHandlers,
  options: RpcServerOptions<string> = {},
): Promise<TestServer<string> & { echo: Client<typeof Echo> }> {
  const opened = await openTestServer(() => "somebody", options);
  addService(opened.server, Echo, handlers);
  return Object.assign(opened, { echo: createClient(Echo, opened.channel()) });
}

async function* texts(...all: string[]): AsyncGenerator<{ text: string }, void, void> {
  for (const text of all) yield { text };
}

async function* failing(): AsyncGenerator<{ text: string }, void, void> {
  yield { text: "one" };
  throw new Error("the request stream broke");
}

async function textsOf(answers: AsyncIterable<EchoMessage>): Promise<string[]> {
  const got: string[] = [];
  for await (const { text } of answers) got.push(text);
  return got;
}

function forever(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, "abort");
}

async function failureOf(call: Promise<unknown>): Promise<RpcError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof RpcError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "the call did not fail" });
}

test("all four kinds of call work, and the handler knows its peer", async () => {
  const peers: string[] = [];
  await using opened = await openEcho({
    say(request, { peer, path, service, method, connection }) {
      peers.push(peer, path, service, method, connection.id);
      return request;
    },
    async *repeat(request) {
      for (let i = 0; i < request.count; i++) yield { text: `${request.text}${i}` };
    },
    async join(requests) {
      return { text: (await textsOf(requests)).join("+") };
    },
    async *chat(requests) {
      for await (const { text } of requests) yield { text: text.toUpperCase() };
    },
  });
  const { echo } = opened;
  const said = await echo.say({ text: "a", padding: Uint8Array.of(1, 2) });
  assert.equal(said.text, "a");
  assert.deepEqual(said.padding, Uint8Array.of(1, 2));
  assert.deepEqual(await textsOf(echo.repeat({ text: "r", count: 3 })), ["r0", "r1", "r2"]);
  assert.equal((await echo.join(texts("x", "y", "z"))).text, "x+y+z");
  assert.deepEqual(await textsOf(echo.chat(texts("b", "c"))), ["B", "C"]);
  const path = "/bonafide.testing.v1.Echo/Say";
  assert.deepEqual(peers, ["somebody", path, "bonafide.testing.v1.Echo", "Say", "conn-1"]);
});

test("bytes of a message do not keep the frame they came in", async () => {
  let padding: Uint8Array | undefined;
  await using opened = await openEcho({
    say(request) {
      ({ padding } = request);
      return request;
    },
  });
  await opened.echo.say({ padding: Uint8Array.of(7) });
  assert.equal(padding?.constructor, Uint8Array);
  assert.ok(padding.buffer.byteLength < 64);
});

test("a message encoded once is sent to many streams, and never as another type", async () => {
  const shared = encode(EchoMessageSchema, { text: "shared" });
  await using opened = await openEcho({
    async *repeat() {
      yield shared;
      yield shared;
    },
  });
  assert.deepEqual(await textsOf(opened.echo.repeat({})), ["shared", "shared"]);
  assert.deepEqual(await textsOf(opened.echo.repeat({})), ["shared", "shared"]);
});

test("a coded error travels with its reason, details and time to retry", async () => {
  await using opened = await openEcho({
    say() {
      throw new BonafideError(ERRORS, "ECHO_BUSY", "zu voll — später", {
        cause: new Error("secret cause"),
        details: { queue: "9" },
        retryAfterMs: 1_500,
      });
    },
  });
  const error = await failureOf(opened.echo.say({}));
  assert.equal(error.code, "RPC_RESOURCE_EXHAUSTED");
  assert.equal(error.status, "resource_exhausted");
  assert.equal(error.grpcCode, 8);
  assert.equal(error.message, "zu voll — später");
  assert.equal(error.reason, "ECHO_BUSY");
  assert.equal(error.retry, true);
  assert.equal(error.retryAfterMs, 1_500);
  assert.equal(error.errorInfo?.domain, "bonafide");
  assert.equal(error.details["queue"], "9");
  assert.ok(isBonafideError(error, "RPC_RESOURCE_EXHAUSTED"));
});

test("an error can carry a detail of a wire and another status", async () => {
  await using opened = await openEcho({
    async *repeat() {
      yield { text: "one" };
      throw withStatus(new BonafideError(ERRORS, "ECHO_REFUSED", "no"), {
        status: "unauthenticated",
        details: [detail(PermissionDeniedDetailsSchema, { reason: Reason.AGENT_BANNED })],
      });
    },
  });
  const got: string[] = [];
  const error = await failureOf(
    (async () => {
      for await (const { text } of opened.echo.repeat({})) got.push(text);
    })(),
  );
  assert.deepEqual(got, ["one"]);
  assert.equal(error.status, "unauthenticated");
  assert.equal(error.detail(PermissionDeniedDetailsSchema)?.reason, Reason.AGENT_BANNED);
  assert.equal(error.reason, "ECHO_REFUSED");
  assert.equal(error.retry, false);
});

test("an unknown error, and one of another server, give a fixed text", async () => {
  const thrown = [
    new TypeError("secret internals"),
    "a string",
    new RpcError("permission_denied", "what another server said"),
  ];
  const reports: CallReport<string>[] = [];
  await using opened = await openEcho(
    {
      say({ count }) {
        throw thrown[count];
      },
    },
    { observe: (report) => reports.push(report) },
  );
  for (let count = 0; count < thrown.length; count++) {
    const error = await failureOf(opened.echo.say({ count }));
    assert.equal(error.status, "internal");
    assert.equal(error.message, "internal error");
    assert.equal(error.reason, undefined);
  }
  assert.deepEqual(
    reports.map(({ error }) => error),
    thrown,
  );
});

test("a text that HTTP/2 cannot carry is mended, a long one is cut", async () => {
  await using opened = await openEcho({
    say({ text, count }) {
      const broken = `${text.slice(0, count)}\r\n%`;
      throw new BonafideError(ERRORS, "ECHO_REFUSED", broken, {
        details: count > 100 ? { much: "x".repeat(100_000) } : {},
      });
    },
  });
  const half = await failureOf(opened.echo.say({ text: "\u{1F600}", count: 1 }));
  assert.equal(half.status, "permission_denied");
  assert.equal(half.message, "\uFFFD\r\n%");
  const long = await failureOf(opened.echo.say({ text: "y".repeat(9_000), count: 9_000 }));
  assert.equal(long.status, "permission_denied");
  assert.ok(long.message.length < 1_100);
  assert.equal(long.reason, undefined);
});

test("a client that stops reading ends the handler, whose finally blocks run", async () => {
  const ended = Promise.withResolvers<void>();
  await using opened = await openEcho({
    async *repeat(_request, { signal }) {
      try {
        yield { text: "first" };
        await forever(signal);
      } finally {
        ended.resolve();
      }
    },
  });
  for await (const { text } of opened.echo.repeat({})) {
    assert.equal(text, "first");
    break;
  }
  await ended.promise;
});

test("a signal cancels a call of each kind, and its reason is what the caller gets", async () => {
  let ended = 0;
  let started = Promise.withResolvers<void>();
  const wait = async (signal: AbortSignal): Promise<void> => {
    started.resolve();
    await forever(signal);
    ended++;
  };
  await using opened = await openEcho({
    async say(request, { signal }) {
      await wait(signal);
      return request;
    },
    async *repeat(request, { signal }) {
      await wait(signal);
      yield request;
    },
    async join(_requests, { signal }) {
      await wait(signal);
      return {};
    },
    async *chat(_requests, { signal }) {
      await wait(signal);
      yield {};
    },
  });
  const { echo } = opened;
  const calls = [
    (signal: AbortSignal) => echo.say({}, { signal }),
    (signal: AbortSignal) => textsOf(echo.repeat({}, { signal })),
    (signal: AbortSignal) => echo.join(texts("a"), { signal }),
    (signal: AbortSignal) => textsOf(echo.chat(texts("a"), { signal })),
  ];
  for (const call of calls) {
    started = Promise.withResolvers();
    const controller = new AbortController();
    const outcome = assert.rejects(call(controller.signal), /the caller's own reason/);
    await started.promise;
    controller.abort(new Error("the caller's own reason"));
    await outcome;
    await assert.rejects(call(controller.signal), /the caller's own reason/);
  }
  await opened.close();
  assert.equal(ended, calls.length);
});

test("a deadline ends the call on both sides", async () => {
  const aborted = Promise.withResolvers<void>();
  let deadline: number | undefined;
  await using opened = await openEcho({
    async say(request, context) {
      ({ deadline } = context);
      await forever(context.signal);
      aborted.resolve();
      return request;
    },
  });
  const before = Date.now();
  const error = await failureOf(opened.echo.say({}, { timeoutMs: 60 }));
  assert.equal(error.code, "RPC_DEADLINE_EXCEEDED");
  await aborted.promise;
  assert.ok(deadline !== undefined && deadline >= before && deadline < before + 20_000);
});

test("a call that answers once has a deadline unless it asks for none", async () => {
  const deadlines: (number | undefined)[] = [];
  await using opened = await openEcho({
    say(request, { deadline }) {
      deadlines.push(deadline);
      return request;
    },
    async *repeat(request, { deadline }) {
      deadlines.push(deadline);
      yield request;
    },
  });
  await opened.echo.say({});
  await opened.echo.say({}, { timeoutMs: Number.POSITIVE_INFINITY });
  await textsOf(opened.echo.repeat({}));
  assert.deepEqual(
    deadlines.map((deadline) => typeof deadline),
    ["number", "undefined", "undefined"],
  );
});

test("a reader that is slow holds the writer back, and loses nothing", async () => {
  let written = 0;
  await using opened = await openEcho({
    async *repeat({ count }) {
      const padding = new Uint8Array(16_384);
      for (; written < count; written++) yield { text: String(written), padding };
    },
  });
  let read = 0;
  for await (const { text } of opened.echo.repeat({ count: 2_000 })) {
    assert.equal(text, String(read));
    if (read === 0) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      assert.ok(written < 2_000, `${written} were written before the second was read`);
    }
    read++;
  }
  assert.equal(read, 2_000);
});

test("a writer held back by a client that dies is let go", async () => {
  const ended = Promise.withResolvers<void>();
  const full = Promise.withResolvers<void>();
  await using opened = await openEcho({
    async *repeat() {
      const padding = new Uint8Array(65_536);
      try {
        for (let i = 0; ; i++) {
          if (i === 10) full.resolve();
          yield { padding };
        }
      } finally {
        ended.resolve();
      }
    },
  });
  const answers = opened.echo.repeat({});
  await answers.next();
  await full.promise;
  await answers.return();
  await ended.promise;
});

test("requests are no longer asked for once the call is over", async () => {
  let returned = 0;
  async function* endless(): AsyncGenerator<{ text: string }, void, void> {
    try {
      for (;;) yield { text: "more" };
    } finally {
      returned++;
    }
  }
  await using opened = await openEcho({
    async join(requests) {
      for await (const { text } of requests) return { text };
      return {};
    },
    async *chat(requests) {
      for await (const { text } of requests) yield { text };
    },
  });
  assert.equal((await opened.echo.join(endless())).text, "more");
  for await (const { text } of opened.echo.chat(endless())) {
    assert.equal(text, "more");
    break;
  }
  await opened.close();
  assert.equal(returned, 2);
});

test("a request stream that fails is the call's failure", async () => {
  await using opened = await openEcho({
    async join(requests) {
      return { text: (await textsOf(requests)).join("") };
    },
    async *chat(requests) {
      for await (const { text } of requests) yield { text };
    },
  });
  await assert.rejects(opened.echo.join(failing()), /the request stream broke/);
  await assert.rejects(textsOf(opened.echo.chat(failing())), /the request stream broke/);
});

test("a message over the limit is refused on either side", async () => {
  await using opened = await openEcho(
    {
      say: ({ count }) => ({ padding: new Uint8Array(count) }),
    },
    { messageBytesMax: 10_000 },
  );
  const { echo } = opened;
  const big = await failureOf(echo.say({ padding: new Uint8Array(20_000) }));
  assert.equal(big.code, "RPC_RESOURCE_EXHAUSTED");
  const answer = await failureOf(echo.say({ count: 20_000 }));
  assert.equal(answer.code, "RPC_RESOURCE_EXHAUSTED");
  const small = createClient(Echo, opened.channel({ messageBytesMax: 1_000 }));
  assert.equal((await failureOf(small.say({ count: 5_000 }))).code, "RPC_RESOURCE_EXHAUSTED");
  assert.equal((await echo.say({ count: 9_000 })).padding.length, 9_000);
});

test("a request that does not decode never reaches the handler", async () => {
  let ran = 0;
  const reports: CallReport<string>[] = [];
  await using opened = await openEcho(
    {
      say(request) {
        ran++;
        return request;
      },
    },
    { observe: (report) => reports.push(report) },
  );
  const { grpc } = opened.channel();
  const code = await rawCall(grpc, "/bonafide.testing.v1.Echo/Say", Buffer.from([255, 255, 255]));
  assert.equal(code, 13);
  assert.equal(ran, 0);
  await opened.close();
  assert.equal(reports.length, 1);
});

test("unknown services, unknown methods and methods without a handler are unimplemented", async () => {
  await using opened = await openEcho({ say: (request) => request });
  const { grpc } = opened.channel();
  for (const path of [
    "/no.such/Thing",
    "/bonafide.testing.v1.Echo/Shout",
    "/bonafide.testing.v1.Echo/say",
    "/bonafide.testing.v1.Echo/Repeat",
  ]) {
    assert.equal(await rawCall(grpc, path, Buffer.alloc(0)), 12, path);
  }
});

test("a check refuses calls of every kind by header before a handler runs", async () => {
  let ran = 0;
  const reports: string[] = [];
  const count = (): { text: string } => {
    ran++;
    return { text: "ran" };
  };
  await using opened = await openEcho(
    {
      say: count,
      async *repeat() {
        yield count();
      },
      join: async () => count(),
      async *chat() {
        yield count();
      },
    },
    {
      check({ headers, method }) {
        if (headers("Workload.Spiffe.IO").join(",") !== "true") {
          throw new BonafideError(ERRORS, "ECHO_REFUSED", `${method} needs the header`);
        }
      },
      observe: ({ call, status }) => reports.push(`${call.method} ${status}`),
    },
  );
  const { echo } = opened;
  const calls = [
    (headers: Record<string, string>) => echo.say({}, { headers }),
    (headers: Record<string, string>) => textsOf(echo.repeat({}, { headers })),
    (headers: Record<string, string>) => echo.join(texts("a"), { headers }),
    (headers: Record<string, string>) => textsOf(echo.chat(texts("a"), { headers })),
  ];
  for (const call of calls) {
    const error = await failureOf(call({}));
    assert.equal(error.reason, "ECHO_REFUSED");
    await call({ "workload.spiffe.io": "true" });
  }
  assert.equal(ran, calls.length);
  assert.deepEqual(
    reports,
    ["Say", "Repeat", "Join", "Chat"].flatMap((m) => [`${m} permission_denied`, `${m} ok`]),
  );
});

function rawCall(
  client: ReturnType<TestServer<string>["channel"]>["grpc"],
  path: string,
  body: Buffer,
): Promise<number | undefined> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
      body,
      new Metadata(),
      { deadline: Date.now() + 10_000 },
      (error) => resolve(error?.code),
    );
  });
}
