import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenCount } from "./open-count.ts";

function ignored(): void {}

test("a name gets so many and no more, and what is given back twice counts once", () => {
  const count = new OpenCount({ max: 2 });
  const first = count.take("a", ignored);
  assert.ok(first !== undefined && count.take("a", ignored) !== undefined);
  assert.equal(count.take("a", ignored), undefined);
  assert.ok(count.take("b", ignored) !== undefined);
  first();
  first();
  assert.ok(count.take("a", ignored) !== undefined);
  assert.equal(count.take("a", ignored), undefined);
});

test("where all have what they may have, who holds most ends its oldest for the next name", () => {
  const count = new OpenCount({ max: 4, totalMax: 6 });
  const ended: string[] = [];
  const take = (name: string, label: string): boolean =>
    count.take(name, () => ended.push(label)) !== undefined;
  for (let i = 0; i < 4; i++) assert.ok(take("a", `a${i}`));
  assert.ok(take("b", "b0") && take("b", "b1"));
  assert.ok(take("c", "c0"));
  assert.deepEqual(ended, ["a0"]);
  assert.ok(take("c", "c1"));
  assert.deepEqual(ended, ["a0", "a1"]);
  // All hold as many: nobody has one too many, but for who has none.
  assert.equal(take("b", "b2"), false);
  assert.ok(take("d", "d0"));
  assert.equal(ended.length, 3);
});

test("a place that was taken away is not given back again", () => {
  const count = new OpenCount({ max: 9, totalMax: 2 });
  const first = count.take("a", ignored);
  count.take("a", ignored);
  const other = count.take("b", ignored);
  first?.();
  assert.equal(count.take("b", ignored), undefined);
  other?.();
  assert.ok(count.take("b", ignored) !== undefined);
});
