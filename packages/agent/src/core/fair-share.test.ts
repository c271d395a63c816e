import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeShare } from "./fair-share.ts";

const SHARE = { own: 0, ownMax: 10, all: 0, max: 100, isRoot: false };

test("a user may hold its own most, never more than what is left, and nobody more than there is", () => {
  assert.equal(judgeShare(SHARE), undefined);
  assert.equal(judgeShare({ ...SHARE, own: 10 }), "own_full");
  assert.equal(judgeShare({ ...SHARE, own: 9, all: 91 }), undefined);
  assert.equal(judgeShare({ ...SHARE, own: 9, all: 92 }), "more_than_left");
  assert.equal(judgeShare({ ...SHARE, all: 99 }), undefined, "a newcomer");
  assert.equal(judgeShare({ ...SHARE, all: 100 }), "none_left");
  assert.equal(judgeShare({ ...SHARE, own: 99, all: 99, isRoot: true }), undefined);
  assert.equal(judgeShare({ ...SHARE, all: 100, isRoot: true }), "none_left");
});

test("however many users take all they can, the next one is still served", () => {
  let all = 0;
  for (let user = 0; user < 50; user++) {
    let own = 0;
    while (judgeShare({ own, ownMax: 1000, all, max: 1000, isRoot: false }) === undefined) {
      own++;
      all++;
    }
    if (all === 1000) {
      assert.ok(user > 6, "only many together use up everything");
      return;
    }
    assert.ok(own > 0);
  }
});
