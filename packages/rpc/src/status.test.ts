import assert from "node:assert/strict";
import { test } from "node:test";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import {
  PermissionDeniedDetails_Reason as Reason,
  PermissionDeniedDetailsSchema,
} from "@bonafide/proto/spire/api/types/status_pb";
import { type CallReport, detail, RpcError, withStatus } from "./index.ts";
import { ECHO_ERRORS, failureOf, openEcho } from "./testing/echo.ts";

test("a coded error travels with its reason, details and time to retry", async () => {
  await using opened = await openEcho({
    say() {
      throw new BonafideError(ECHO_ERRORS, "ECHO_BUSY", "zu voll — später", {
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
      throw withStatus(new BonafideError(ECHO_ERRORS, "ECHO_REFUSED", "no"), {
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
      throw new BonafideError(ECHO_ERRORS, "ECHO_REFUSED", broken, {
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

test("a failure that may pass says when to come again, itself or by the server's usual time", async () => {
  const table = {
    BUSY: { status: "unavailable", retry: true },
    NEVER: { status: "permission_denied", retry: false },
  } as const;
  const thrown = [
    new BonafideError(table, "BUSY", "busy"),
    new BonafideError(table, "BUSY", "busy", { retryAfterMs: 70 }),
    new BonafideError(table, "NEVER", "never"),
  ];
  await using opened = await openEcho(
    {
      say({ count }) {
        throw thrown[count];
      },
    },
    { retryAfterMs: 1500 },
  );
  const told: (number | undefined)[] = [];
  for (let count = 0; count < thrown.length; count++) {
    told.push((await failureOf(opened.echo.say({ count }))).retryAfterMs);
  }
  assert.deepEqual(told, [1500, 70, undefined]);
});
