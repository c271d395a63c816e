import assert from "node:assert/strict";
import { test } from "node:test";
import { BonafideError, type ErrorTable, isBonafideError } from "./index.ts";

const ERRORS = {
  THING_MISSING: { status: "not_found", retry: false },
  THING_BUSY: { status: "unavailable", retry: true },
} as const;
ERRORS satisfies ErrorTable;

test("an error carries its code, and the status and retry fact of its table", () => {
  const error = new BonafideError(ERRORS, "THING_BUSY", "the thing is busy", {
    cause: new Error("inner"),
    details: { thing: "a" },
    retryAfterMs: 500,
  });
  assert.equal(error.code, "THING_BUSY");
  assert.equal(error.status, "unavailable");
  assert.equal(error.retry, true);
  assert.deepEqual(error.details, { thing: "a" });
  assert.equal(error.retryAfterMs, 500);
  assert.equal(error.message, "the thing is busy");
});

test("an error is recognised by mark and code, not by class", () => {
  const error = new BonafideError(ERRORS, "THING_MISSING", "no thing");
  assert.ok(isBonafideError(error));
  assert.ok(isBonafideError(error, "THING_MISSING"));
  assert.ok(!isBonafideError(error, "THING_BUSY"));
  const foreign = { [Symbol.for("bonafide.error")]: true, code: "THING_MISSING" };
  assert.ok(isBonafideError(foreign, "THING_MISSING"));
  for (const other of [undefined, null, "THING_MISSING", new Error("THING_MISSING"), {}]) {
    assert.ok(!isBonafideError(other));
  }
});
