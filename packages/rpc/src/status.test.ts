import assert from "node:assert/strict";
import { test } from "node:test";
import { BonafideError, isBonafideError, type StatusName } from "@bonafide/errors";
import {
  PermissionDeniedDetails_Reason as Reason,
  PermissionDeniedDetailsSchema,
} from "@bonafide/proto/spire/api/types/status_pb";
import { type CallReport, detail, RpcError, type RpcErrorCode, withStatus } from "./index.ts";
import { RPC_ERRORS } from "./rpc-errors.ts";
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

const CODE_OF: readonly (readonly [StatusName, number, RpcErrorCode])[] = [
  ["cancelled", 1, "RPC_CANCELLED"],
  ["unknown", 2, "RPC_UNKNOWN"],
  ["invalid_argument", 3, "RPC_INVALID_ARGUMENT"],
  ["deadline_exceeded", 4, "RPC_DEADLINE_EXCEEDED"],
  ["not_found", 5, "RPC_NOT_FOUND"],
  ["already_exists", 6, "RPC_ALREADY_EXISTS"],
  ["permission_denied", 7, "RPC_PERMISSION_DENIED"],
  ["resource_exhausted", 8, "RPC_RESOURCE_EXHAUSTED"],
  ["failed_precondition", 9, "RPC_FAILED_PRECONDITION"],
  ["aborted", 10, "RPC_ABORTED"],
  ["out_of_range", 11, "RPC_OUT_OF_RANGE"],
  ["unimplemented", 12, "RPC_UNIMPLEMENTED"],
  ["internal", 13, "RPC_INTERNAL"],
  ["unavailable", 14, "RPC_UNAVAILABLE"],
  ["data_loss", 15, "RPC_DATA_LOSS"],
  ["unauthenticated", 16, "RPC_UNAUTHENTICATED"],
];

test("a call fails with the code of the status that was answered, and no status is without one", async () => {
  await using opened = await openEcho({
    say({ text }) {
      const [status] = CODE_OF.find(([name]) => name === text) ?? [];
      assert.ok(status !== undefined);
      throw withStatus(new BonafideError(ECHO_ERRORS, "ECHO_REFUSED", "no"), { status });
    },
  });
  for (const [status, grpcCode, code] of CODE_OF) {
    const error = await failureOf(opened.echo.say({ text: status }));
    assert.deepEqual(
      [error.status, error.grpcCode, error.code, error.reason],
      [status, grpcCode, code, "ECHO_REFUSED"],
    );
  }
  const codes = CODE_OF.map(([, , code]) => code);
  assert.deepEqual(codes.toSorted(), Object.keys(RPC_ERRORS).toSorted());
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
