import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenCount } from "./open-count.ts";

test("a name gets so many and no more, and what is given back twice counts once", () => {
  const count = new OpenCount(2);
  const first = count.take("a");
  assert.ok(first !== undefined && count.take("a") !== undefined);
  assert.equal(count.take("a"), undefined);
  assert.ok(count.take("b") !== undefined);
  first();
  first();
  assert.ok(count.take("a") !== undefined);
  assert.equal(count.take("a"), undefined);
});
