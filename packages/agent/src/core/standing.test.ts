import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  type Known,
  learn,
  lessonOf,
  type NextStep,
  nextStep,
  nothingKnown,
  type RefusalReason,
  type StandingFacts,
  type Step,
  type StepFailure,
} from "./standing.ts";

const PLAN = { renewAtMs: 500, expiresAtMs: 1000 };

/** An agent that is well: its SVID was received at 0 and is renewed at 500. */
const WELL: StandingFacts = {
  known: nothingKnown,
  svid: { plan: PLAN, hasGoodAuthority: true },
  token: "spent",
  reattests: false,
  lost: undefined,
  hasRecoveryKey: true,
  bundleEnded: false,
  keepAtMs: undefined,
  monotonicMs: 0,
};

type Change = Omit<Partial<StandingFacts>, "known"> & { readonly known?: Partial<Known> };

function facts({ known, ...more }: Change): StandingFacts {
  return { ...WELL, ...more, known: { ...nothingKnown, ...known } };
}

const ENDED = { monotonicMs: 1000 };
/** It came in by a proof, and can again. */
const PROVEN = { token: "proof", reattests: true } as const;

const NEXT: readonly (readonly [says: string, change: Change, next: NextStep])[] = [
  ["a good SVID waits for half of its life", {}, { kind: "wait", ms: 500 }],
  ["half of its life", { monotonicMs: 500 }, { kind: "renew" }],
  ["half of its life, with a proof", { ...PROVEN, monotonicMs: 500 }, { kind: "reattest" }],
  ["its end, with a proof", { ...PROVEN, ...ENDED }, { kind: "reattest" }],
  [
    "nothing since it was banned, a proof",
    { ...PROVEN, svid: undefined, lost: "banned" },
    { kind: "reattest" },
  ],
  [
    "half of its life, come in by a token before it had a proof",
    { token: "proof", monotonicMs: 500 },
    { kind: "renew" },
  ],
  [
    "evicted, a proof",
    { ...PROVEN, known: { refusal: "AGENT_NOT_ATTESTED" } },
    { kind: "reattest" },
  ],
  [
    "its authority left the bundle",
    { svid: { plan: PLAN, hasGoodAuthority: false } },
    { kind: "renew" },
  ],
  ["nothing yet, a token", { svid: undefined, token: "fresh" }, { kind: "reattest" }],
  [
    "nothing yet, a token spent a moment ago",
    { svid: undefined, token: "spent" },
    { kind: "reattest" },
  ],
  [
    "nothing and no token",
    { svid: undefined, token: "none" },
    { kind: "stop", cause: "agent.not_attested", deleteSvid: false },
  ],
  ...(["banned", "evicted"] as const).flatMap((lost): (typeof NEXT)[number][] => [
    ...(["none", "spent"] as const).map((token): (typeof NEXT)[number] => [
      `nothing since it was ${lost}, token ${token}`,
      { svid: undefined, lost, token },
      { kind: "stop", cause: `agent.${lost}`, deleteSvid: false },
    ]),
    [
      `nothing since it was ${lost}, a new token`,
      { svid: undefined, lost, token: "fresh" },
      { kind: "reattest" },
    ],
  ]),
  ["its end", ENDED, { kind: "recover", bundleFirst: false }],
  [
    "its end, and that of all roots",
    { ...ENDED, bundleEnded: true },
    { kind: "recover", bundleFirst: true },
  ],
  [
    "its end, and that of all roots, no recovery key",
    { ...ENDED, bundleEnded: true, hasRecoveryKey: false },
    { kind: "mismatch", stop: true },
  ],
  [
    "its end, and that of all roots, the server signs no bundles",
    { ...ENDED, bundleEnded: true, known: { canSignBundle: false } },
    { kind: "mismatch", stop: true },
  ],
  [
    "its end, no recovery, a token",
    { ...ENDED, token: "fresh", known: { canRecover: false } },
    { kind: "reattest" },
  ],
  [
    "its end, no recovery, no token",
    { ...ENDED, known: { canRecover: false } },
    { kind: "stop", cause: "agent.svid_expired", deleteSvid: false },
  ],
  [
    "refused as expired before its end",
    { known: { refusal: "AGENT_EXPIRED" } },
    { kind: "recover", bundleFirst: false },
  ],
  [
    "refused as not active",
    { known: { refusal: "AGENT_NOT_ACTIVE" } },
    { kind: "recover", bundleFirst: false },
  ],
  [
    "refused as expired without an SVID",
    { svid: undefined, known: { refusal: "AGENT_EXPIRED" } },
    { kind: "stop", cause: "agent.svid_expired", deleteSvid: false },
  ],
  [
    "banned, whatever else",
    { token: "fresh", known: { refusal: "AGENT_BANNED", serverUnverified: true } },
    { kind: "stop", cause: "agent.banned", deleteSvid: true },
  ],
  [
    "evicted, a token",
    { token: "fresh", known: { refusal: "AGENT_NOT_ATTESTED" } },
    { kind: "reattest" },
  ],
  [
    "evicted, no token",
    { known: { refusal: "AGENT_NOT_ATTESTED" } },
    { kind: "stop", cause: "agent.evicted", deleteSvid: true },
  ],
  [
    "to attest again, no token",
    { token: "none", known: { refusal: "AGENT_MUST_REATTEST" } },
    { kind: "stop", cause: "agent.evicted", deleteSvid: true },
  ],
  ["a server not verified", { known: { serverUnverified: true } }, { kind: "bundle" }],
  [
    "a server not verified, no recovery key",
    { hasRecoveryKey: false, known: { serverUnverified: true } },
    { kind: "mismatch", stop: false },
  ],
  [
    "a server not verified, no recovery key, no root left",
    { hasRecoveryKey: false, bundleEnded: true, known: { serverUnverified: true } },
    { kind: "mismatch", stop: true },
  ],
  ["a recovery key to learn", { known: { pinWanted: true } }, { kind: "pin" }],
  [
    "a recovery key to learn, at half life",
    { monotonicMs: 500, known: { pinWanted: true } },
    { kind: "renew" },
  ],
  ["an SVID to write down later", { keepAtMs: 100 }, { kind: "wait", ms: 100 }],
  ["an SVID to write down after half life", { keepAtMs: 700 }, { kind: "wait", ms: 500 }],
  ["an SVID to write down now", { keepAtMs: 0 }, { kind: "keep" }],
];

for (const [says, change, expected] of NEXT) {
  test(`next: ${says} -> ${expected.kind}`, () => {
    assert.deepEqual(nextStep(facts(change)), expected);
  });
}

test("what a failure teaches depends on the step and on what there is to lose", () => {
  const without = { ...WELL, svid: undefined };
  const lesson = (step: Step["kind"], failure: StepFailure, of: StandingFacts = WELL): unknown =>
    lessonOf(step, failure, of);
  const refused = { kind: "refused", reason: "AGENT_BANNED" } as const;
  assert.deepEqual(lesson("recover", refused), refused);
  for (const clock of ["ahead", "behind"] as const) {
    const off = { kind: "clock_off", clock } as const;
    assert.deepEqual(lesson("renew", off), { kind: "retry" });
    assert.deepEqual(lesson("reattest", off, without), off);
    assert.deepEqual(lesson("recover", off, { ...WELL, ...ENDED }), off);
    const ended = { ...without, bundleEnded: true };
    assert.deepEqual(lesson("reattest", off, ended), { kind: "unverified", stop: true });
  }
  const unverified = { kind: "unverified" } as const;
  assert.deepEqual(lesson("renew", unverified), { kind: "unverified", stop: false });
  assert.deepEqual(lesson("reattest", unverified, without), { kind: "unverified", stop: true });
  const final = { kind: "final" } as const;
  assert.deepEqual(lesson("recover", final), { kind: "no_recovery" });
  assert.deepEqual(lesson("renew", final), { kind: "retry" });
  assert.deepEqual(lesson("reattest", final), { kind: "no_token", cause: "agent.token_used" });
  const fresh = { ...WELL, token: "fresh" } as const;
  assert.deepEqual(lesson("reattest", final, fresh), {
    kind: "no_token",
    cause: "agent.token_refused",
  });
  const proof = { ...WELL, token: "proof" } as const;
  assert.deepEqual(lesson("reattest", final, proof), { kind: "proof_refused" });
  for (const step of ["reattest", "renew", "recover", "bundle", "pin"] as const) {
    assert.deepEqual(lesson(step, { kind: "passing" }), { kind: "retry" });
  }
});

const anyReason: fc.Arbitrary<RefusalReason> = fc.constantFrom(
  "AGENT_EXPIRED",
  "AGENT_NOT_ACTIVE",
  "AGENT_NOT_ATTESTED",
  "AGENT_MUST_REATTEST",
  "AGENT_BANNED",
);

/** Any facts, the clock anywhere around the plan; only who has a proof can give it again. */
const anyFacts: fc.Arbitrary<StandingFacts> = fc
  .record({
    known: fc.record({
      refusal: fc.option(anyReason, { nil: undefined }),
      serverUnverified: fc.boolean(),
      canRecover: fc.boolean(),
      canSignBundle: fc.boolean(),
      pinWanted: fc.boolean(),
    }),
    svid: fc.option(
      fc.record({
        plan: fc
          .tuple(fc.nat(10_000), fc.nat(10_000))
          .map(([renewAtMs, more]) => ({ renewAtMs, expiresAtMs: renewAtMs + more })),
        hasGoodAuthority: fc.boolean(),
      }),
      { nil: undefined },
    ),
    token: fc.constantFrom("none", "fresh", "spent", "proof"),
    lost: fc.constantFrom("banned", "evicted", undefined),
    hasRecoveryKey: fc.boolean(),
    bundleEnded: fc.boolean(),
    keepAtMs: fc.option(fc.nat(20_000), { nil: undefined }),
    monotonicMs: fc.nat(30_000),
    reattests: fc.boolean(),
  })
  .map((any) => ({
    ...any,
    reattests: any.reattests && any.token === "proof" && any.svid !== undefined,
  }));

test("whatever the clock says: it waits only under a good SVID, never past half life, and an end has its reason", () => {
  fc.assert(
    fc.property(anyFacts, (given) => {
      const next = nextStep(given);
      const { known, svid, monotonicMs } = given;
      const isValid = svid !== undefined && monotonicMs < svid.plan.expiresAtMs;
      if (next.kind === "wait") {
        assert.ok(isValid && next.ms > 0);
        assert.ok(monotonicMs + next.ms <= svid.plan.renewAtMs);
        assert.ok(known.refusal === undefined && !known.serverUnverified);
      }
      if (next.kind === "renew") assert.ok(isValid, "only a valid SVID is renewed");
      if (next.kind === "recover") assert.ok(svid !== undefined && known.canRecover);
      if (next.kind === "bundle") assert.ok(given.hasRecoveryKey && known.canSignBundle);
      if (next.kind !== "stop") return;
      const canJoin = given.token === "fresh" || given.token === "proof";
      assert.ok(!canJoin || next.cause === "agent.banned");
      // A valid SVID nobody refused is never given up; one that was refused as expired is kept for a person to see.
      assert.ok(!isValid || known.refusal !== undefined);
      const isLost = next.cause === "agent.banned" || next.cause === "agent.evicted";
      // Only the server's word deletes; of an earlier run's ban nothing is left to delete.
      assert.equal(next.deleteSvid, isLost && known.refusal !== undefined);
      if (isLost && known.refusal === undefined) {
        assert.ok(next.cause === `agent.${given.lost}` && svid === undefined);
      }
    }),
    { numRuns: 5000 },
  );
});

interface World {
  facts: StandingFacts;
  ended: boolean;
}

/** How the server behaves at one step. */
type Answer = { readonly kind: "well" } | StepFailure;

const anyAnswer: fc.Arbitrary<Answer> = fc.oneof(
  fc.constant({ kind: "well" } as const),
  fc.constantFrom<Answer>(
    { kind: "clock_off", clock: "behind" },
    { kind: "clock_off", clock: "ahead" },
    { kind: "unverified" },
    { kind: "final" },
    { kind: "passing" },
  ),
  anyReason.map((reason): Answer => ({ kind: "refused", reason })),
);

const LIFE_MS = 1000;

/** Plays one turn of the agent's loop against a server, as the shell does. */
function play(world: World, answer: Answer, passMs: number): NextStep {
  const next = nextStep(world.facts);
  const pass = (ms: number): void => {
    world.facts = { ...world.facts, monotonicMs: world.facts.monotonicMs + ms };
  };
  if (next.kind === "wait") {
    pass(Math.max(passMs, next.ms));
    return next;
  }
  if (next.kind === "stop" || (next.kind === "mismatch" && next.stop)) {
    world.ended = true;
    return next;
  }
  const { known, monotonicMs } = world.facts;
  const isLocal = next.kind === "keep" || next.kind === "mismatch";
  if (answer.kind !== "well" && !isLocal) {
    const lesson = lessonOf(next.kind, answer, world.facts);
    world.facts = { ...world.facts, known: learn(known, lesson) };
    world.ended ||= lesson.kind === "no_token" || (lesson.kind === "unverified" && lesson.stop);
    pass(passMs + 1);
    return next;
  }
  const svid = {
    plan: { renewAtMs: monotonicMs + LIFE_MS / 2, expiresAtMs: monotonicMs + LIFE_MS },
    hasGoodAuthority: true,
  };
  const settled = { ...known, refusal: undefined, serverUnverified: false };
  const change: Partial<StandingFacts> = {
    renew: { svid, known: settled },
    recover: { svid, known: settled, bundleEnded: false },
    reattest: { svid, known: settled, token: "spent" as const, lost: undefined },
    bundle: { known: { ...known, serverUnverified: false }, bundleEnded: false },
    mismatch: { known: { ...known, serverUnverified: false } },
    pin: { known: { ...known, pinWanted: false }, hasRecoveryKey: true },
    keep: { keepAtMs: undefined },
  }[next.kind];
  world.facts = { ...world.facts, ...change };
  return next;
}

test("after any weather, a server that is well again has the agent good or ended within six steps", () => {
  fc.assert(
    fc.property(
      anyFacts,
      fc.array(fc.tuple(anyAnswer, fc.nat(3000)), { maxLength: 40 }),
      (start, weather) => {
        const world: World = { facts: start, ended: false };
        for (const [answer, passMs] of weather) {
          if (world.ended) return;
          play(world, answer, passMs);
        }
        for (let steps = 0; steps < 6 && !world.ended; steps++) {
          if (play(world, { kind: "well" }, 0).kind === "wait") return;
        }
        assert.ok(world.ended, JSON.stringify(world.facts));
      },
    ),
    { numRuns: 2000 },
  );
});
