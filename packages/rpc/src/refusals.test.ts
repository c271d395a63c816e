import assert from "node:assert/strict";
import { test } from "node:test";
import { BonafideError } from "@bonafide/errors";
import { Echo } from "@bonafide/proto/bonafide/testing/v1/echo_pb";
import { Metadata } from "@grpc/grpc-js";
import { type CallReport, type Channel, createClient, openUnixChannel } from "./index.ts";
import { ECHO_ERRORS, failureOf, openEcho, texts, textsOf } from "./testing/echo.ts";

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

test("requests may be held smaller than answers", async () => {
  await using opened = await openEcho(
    { say: ({ count }) => ({ padding: new Uint8Array(count) }) },
    { requestBytesMax: 1_000 },
  );
  const { echo } = opened;
  const big = await failureOf(echo.say({ padding: new Uint8Array(1_001) }));
  assert.equal(big.code, "RPC_RESOURCE_EXHAUSTED");
  assert.equal((await echo.say({ count: 50_000 })).padding.length, 50_000);
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
          throw new BonafideError(ECHO_ERRORS, "ECHO_REFUSED", `${method} needs the header`);
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

test("nobody at the address, and a channel that was closed, are coded failures", async () => {
  await using opened = await openEcho({ say: (request) => request });
  using nobody = openUnixChannel(`${opened.path}.nobody`);
  const missing = await failureOf(createClient(Echo, nobody).say({}));
  assert.equal(missing.code, "RPC_UNAVAILABLE");
  assert.match(missing.message, /ENOENT/);
  const channel = opened.channel();
  const echo = createClient(Echo, channel);
  await echo.say({});
  channel.close();
  for (const call of [echo.say({}), textsOf(echo.repeat({})), echo.join(texts())]) {
    assert.equal((await failureOf(call)).code, "RPC_FAILED_PRECONDITION");
  }
});

test("a socket's path may hold what a URL would not", async () => {
  await using opened = await openEcho(
    { say: (request) => request },
    { socketName: "a b%20?#ü:,.sock" },
  );
  assert.equal((await opened.echo.say({ text: "there" })).text, "there");
});

function rawCall(client: Channel["grpc"], path: string, body: Buffer): Promise<number | undefined> {
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
