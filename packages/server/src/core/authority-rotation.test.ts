import assert from "node:assert/strict";
import { test } from "node:test";
import {
  activateBeforeMs,
  nextRotation,
  type OwnAuthority,
  prepareBeforeMs,
  type RotationStep,
  spreadMs,
} from "./authority-rotation.ts";

const DAY = 86_400_000;
const WINDOW = { recoveryWindowMs: 30 * DAY, forcedSpreadMs: 10_000 };

function authority(id: string, state: OwnAuthority["state"], from: number, days = 7): OwnAuthority {
  return {
    id,
    state,
    notBefore: from,
    notAfter: from + days * DAY,
    preparedAt: from,
    canSign: true,
    isOurs: true,
    isToReplace: false,
  };
}

/** Applies steps to a list as the server does, until it says wait. */
function settle(
  own: readonly OwnAuthority[],
  now: number,
): { own: readonly OwnAuthority[]; steps: RotationStep["kind"][]; until: number } {
  const steps: RotationStep["kind"][] = [];
  let list = own;
  for (let i = 0; i < 50; i++) {
    const step = nextRotation(list, now, WINDOW);
    steps.push(step.kind);
    switch (step.kind) {
      case "wait":
        return { own: list, steps, until: step.until };
      case "prepare":
        list = [...list, authority(`p${now}`, "prepared", now)];
        break;
      case "prepare-and-activate":
        list = [...list.map(retired), authority(`a${now}`, "active", now)];
        break;
      case "activate":
        list = list.map((a) => (a.id === step.id ? { ...a, state: "active" } : retired(a)));
        break;
      case "expire":
        list = list.map((a) => (a.id === step.id ? { ...a, state: "expired" } : a));
        break;
      case "forget":
      case "discard":
        list = list.filter((a) => a.id !== step.id);
    }
  }
  throw new Error(`never settles: ${steps.join()}`);
}

function retired(a: OwnAuthority): OwnAuthority {
  return a.state === "active" ? { ...a, state: "old" } : a;
}

test("the thresholds are SPIRE's: half and a sixth of the lifetime, at most 30 and 7 days", () => {
  assert.equal(prepareBeforeMs(DAY), DAY / 2);
  assert.equal(activateBeforeMs(DAY), DAY / 6);
  assert.equal(prepareBeforeMs(365 * DAY), 30 * DAY);
  assert.equal(activateBeforeMs(365 * DAY), 7 * DAY);
});

test("a first start prepares and activates at once, and then waits for half of the lifetime", () => {
  const { own, steps, until } = settle([], 0);
  assert.deepEqual(steps, ["prepare-and-activate", "wait"]);
  assert.equal(own.length, 1);
  assert.equal(until, 3.5 * DAY);
});

test("over 100 days something can always sign, and it was published before it signed", () => {
  let own: readonly OwnAuthority[] = [];
  const publishedAt = new Map<string, number>();
  for (let now = 0; now < 100 * DAY;) {
    const before = new Set(own.map((a) => a.id));
    const settled = settle(own, now);
    own = settled.own;
    for (const a of own) if (!before.has(a.id)) publishedAt.set(a.id, now);
    const active = own.filter((a) => a.state === "active");
    assert.equal(active.length, 1);
    const [signing] = active;
    assert.ok(signing !== undefined && signing.notAfter > now);
    if (now > 0) {
      assert.ok(
        now - (publishedAt.get(signing.id) ?? now) >= spreadMs(7 * DAY) || signing.notBefore === 0,
      );
    }
    assert.ok(own.every((a) => a.state === "expired" || a.notAfter > now));
    assert.ok(settled.until > now);
    now = settled.until;
  }
});

test("a server that was down past everything prepares, activates, and expires what ended", () => {
  const { own, steps } = settle([authority("a", "active", 0)], 8 * DAY);
  assert.deepEqual(steps, ["prepare-and-activate", "expire", "wait"]);
  assert.deepEqual(
    own.map((a) => a.state),
    ["expired", "active"],
  );
});

test("a prepared authority found late still spreads before it signs", () => {
  const active = authority("a", "active", 0);
  const now = 6.5 * DAY;
  const { steps, until, own } = settle([active], now);
  assert.deepEqual(steps, ["prepare", "wait"]);
  assert.equal(until, now + spreadMs(7 * DAY));
  assert.deepEqual(settle(own, until).steps, ["activate", "wait"]);
});

test("an authority whose key is gone signs nothing: the prepared one takes over, else a new one", () => {
  const lost = { ...authority("a", "active", 0), canSign: false };
  assert.deepEqual(nextRotation([lost, authority("b", "prepared", 1)], DAY, WINDOW), {
    kind: "activate",
    id: "b",
  });
  assert.deepEqual(nextRotation([lost], DAY, WINDOW), { kind: "prepare-and-activate" });
});

test("tainted and revoked authorities never come back; all are forgotten after the recovery window", () => {
  const own = [authority("a", "active", 36 * DAY), authority("x", "revoked", 0)];
  assert.equal(settle(own, 36 * DAY).own.length, 2);
  assert.equal(settle(own, 37 * DAY).own.length, 1);
});

test("another server's authorities are put away at their end, and are never this one's to sign with", () => {
  const others = { ...authority("o", "active", 0, 1), canSign: false, isOurs: false };
  const mine = authority("a", "active", DAY);
  assert.deepEqual(nextRotation([others, mine], DAY, WINDOW), { kind: "expire", id: "o" });
  assert.deepEqual(nextRotation([others], DAY / 2, WINDOW), { kind: "prepare-and-activate" });
});

test("an authority to replace is replaced at once, but not before its successor could be known", () => {
  const active = { ...authority("a", "active", 0), isToReplace: true };
  const { steps, until, own } = settle([active], DAY);
  assert.deepEqual(steps, ["prepare", "wait"]);
  assert.equal(until, DAY + 10_000);
  const later = settle(own, until);
  assert.deepEqual(later.steps, ["activate", "wait"]);
  assert.deepEqual(
    later.own.map((a) => a.state),
    ["old", "active"],
  );
});

test("a prepared authority without its key, or under what is no longer trusted, is discarded", () => {
  const active = authority("a", "active", 0);
  for (const fault of [{ canSign: false }, { isToReplace: true }]) {
    const prepared = { ...authority("p", "prepared", 0), ...fault };
    assert.deepEqual(nextRotation([active, prepared], DAY, WINDOW), { kind: "discard", id: "p" });
    const others = { ...prepared, canSign: false, isOurs: false };
    assert.equal(nextRotation([active, others], DAY, WINDOW).kind, "wait");
  }
});
