import assert from "node:assert/strict";
import { test } from "node:test";
import { EchoMessageSchema } from "@bonafide/proto/bonafide/testing/v1/echo_pb";
import { type Connection, encode } from "./index.ts";
import { aborted, failing, failureOf, openEcho, texts, textsOf } from "./testing/echo.ts";

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

test("a call that crosses the GOAWAY of its connection is made on another, and handled once", async () => {
  const handled: Connection[] = [];
  await using opened = await openEcho({
    say(request, { connection }) {
      handled.push(connection);
      return request;
    },
    async *repeat(request, { connection }) {
      handled.push(connection);
      yield request;
    },
    async *chat(requests, { connection }) {
      handled.push(connection);
      yield* requests;
    },
  });
  const { echo } = opened;
  await echo.say({});
  const said = echo.say({ text: "a" });
  handled.at(-1)?.drain(60_000);
  assert.equal((await said).text, "a");
  const repeated = textsOf(echo.repeat({ text: "b" }));
  handled.at(-1)?.drain(60_000);
  assert.deepEqual(await repeated, ["b"]);
  const answered = textsOf(echo.chat(texts("c", "d")));
  handled.at(-1)?.drain(60_000);
  assert.deepEqual(await answered, ["c", "d"]);
  const names = handled.map(({ id }) => id);
  assert.deepEqual(names, ["conn-1", "conn-2", "conn-3", "conn-4"]);
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

test("a client that stops reading ends the handler, whose finally blocks run", async () => {
  const ended = Promise.withResolvers<void>();
  await using opened = await openEcho({
    async *repeat(_request, { signal }) {
      try {
        yield { text: "first" };
        await aborted(signal);
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
    await aborted(signal);
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
  const told = Promise.withResolvers<void>();
  const deadlines: (number | undefined)[] = [];
  await using opened = await openEcho({
    async say(request, context) {
      deadlines.push(context.deadline);
      await aborted(context.signal);
      told.resolve();
      return request;
    },
  });
  // On a busy machine a short deadline can pass before the request is there: then again, with more.
  for (let timeoutMs = 50; deadlines.length === 0; timeoutMs *= 2) {
    const error = await failureOf(opened.echo.say({}, { timeoutMs }));
    assert.equal(error.code, "RPC_DEADLINE_EXCEEDED");
  }
  await told.promise;
  assert.ok((deadlines[0] ?? Infinity) <= Date.now() + 1);
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
  await opened.echo.say({}, { timeoutMs: 30 * 86_400_000 });
  await textsOf(opened.echo.repeat({}));
  assert.deepEqual(
    deadlines.map((deadline) => typeof deadline),
    ["number", "undefined", "undefined", "undefined"],
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

test("a stream of requests without end leaves turns to others, also before there is a connection", async () => {
  await using opened = await openEcho({
    async join(requests) {
      for await (const { text } of requests) return { text };
      return {};
    },
  });
  let asked = 0;
  function* endless(): Generator<{ text: string }, void, void> {
    for (;;) {
      asked++;
      yield { text: "more" };
    }
  }
  const joined = opened.echo.join(toAsync(endless()));
  await new Promise(setImmediate);
  assert.ok(asked < 1000, `${asked} before the first turn of anybody else`);
  await joined;
});

async function* toAsync<T>(values: Iterable<T>): AsyncGenerator<T, void, void> {
  yield* values;
}

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
