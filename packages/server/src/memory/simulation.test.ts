import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { simulate } from "./testing/simulate.ts";
import {
  ALL_RULES,
  type Rules,
  STORM,
  type Tally,
  type Weather,
} from "./testing/simulation-model.ts";

const RUNS = Number(process.env["RUNS"] ?? 500);
const SEED = Number(process.env["SEED"] ?? 1);
/** Histories until a missing rule must have shown; the rarest needs about a thousand. */
const TEETH_RUNS = Math.max(RUNS, 500) * 20;

function play(rules: Rules, weather: Weather, runs: number, stopAtBreak = false): Tally {
  const tally: Tally = new Map();
  for (let seed = SEED; seed < SEED + runs; seed += 1) {
    simulate(seed, rules, weather, tally);
    if (stopAtBreak && broken(tally).length > 0) break;
  }
  return tally;
}

function broken(tally: Tally): string[] {
  return [...tally].filter(([what]) => /^I\d/.test(what)).map(([what, n]) => `${what}: ${n}`);
}

test(`${RUNS} random histories with every fault from seed ${SEED} break no invariant`, (t) => {
  const tally = play(ALL_RULES, STORM, RUNS);
  t.diagnostic(JSON.stringify(Object.fromEntries(tally)));
  assert.deepEqual(broken(tally), []);
  for (const what of ["rewind", "late-memory", "open-epoch", "operator accepts", "go-on"]) {
    assert.ok((tally.get(what) ?? 0) > 0, `${what} never happened`);
  }
});

const CALM: Weather = { promotion: false, unfenced: false, rollback: false, restore: false };
const WEATHERS: Record<string, Weather> = {
  "promotions of a fenced primary": { ...CALM, promotion: true },
  "promotions of an unfenced primary": { ...CALM, promotion: true, unfenced: true },
  "rollbacks in place": { ...CALM, rollback: true },
  "restores of an old copy": { ...CALM, restore: true },
};
for (const [name, weather] of Object.entries(WEATHERS)) {
  test(`${name} alone break no invariant`, () => {
    assert.deepEqual(broken(play(ALL_RULES, weather, Math.ceil(RUNS / 5))), []);
  });
}

// deposedCheck is not in this list: slots and settled marks already bear what it is for, and it stays because a write
// to a deposed primary is a lost write.
for (const rule of [
  "epochOnPromotion",
  "checkIn",
  "rememberFirst",
  "denialsAlways",
  "settledMarks",
  "floor",
  "sealedNames",
  "slottedEpochs",
] as const) {
  test(`the judge has teeth: without ${rule} some history breaks an invariant`, () => {
    const tally = play({ ...ALL_RULES, [rule]: false }, STORM, TEETH_RUNS, true);
    assert.notDeepEqual(broken(tally), []);
  });
}
