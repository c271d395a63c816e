import assert from "node:assert/strict";
import { test } from "node:test";
import { BonafideError } from "@bonafide/errors";
import { describeError } from "./describe-error.ts";

const ERRORS = {
  OUTER: { status: "unavailable", retry: true },
  INNER: { status: "internal", retry: false },
} as const;

test("an error with a code is one line: its code, what happened, and what caused it", () => {
  const inner = new BonafideError(ERRORS, "INNER", "two\n  lines");
  const outer = new BonafideError(ERRORS, "OUTER", "it failed", { cause: inner });
  assert.deepEqual(describeError(outer), { cause: "OUTER: it failed; INNER: two lines" });
});

test("the system's error is told by its code, without where it was met", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), {
    code: "ECONNREFUSED",
  });
  assert.deepEqual(describeError(refused), {
    cause: "ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:1",
  });
});

test("what a library says of a call, under a numeric code, is left out", () => {
  const library = Object.assign(new Error("14 UNAVAILABLE: no such luck"), { code: 14 });
  const outer = new BonafideError(ERRORS, "OUTER", "the server is away", { cause: library });
  assert.deepEqual(describeError(outer), { cause: "OUTER: the server is away" });
});

test("an error without a code keeps its stack: it is a fault of ours", () => {
  const { cause, stack } = describeError(new TypeError("x is not a function"));
  assert.equal(cause, "x is not a function");
  assert.match(stack ?? "", /describe-error\.test\.ts/);
});

test("causes in a circle, long texts and values that are no errors end", () => {
  const circle = new Error("round");
  circle.cause = circle;
  assert.equal(describeError(circle).cause, "round");
  assert.equal(describeError("x".repeat(9999)).cause.length, 400);
  assert.equal(describeError(undefined).cause, "");
});
