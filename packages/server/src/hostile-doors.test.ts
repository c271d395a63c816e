import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { attack, attackSeed, describeAttack, targetsOf } from "@bonafide/rpc/testing";
import { openHostileServer, SERVER_SERVICES } from "./testing/index.ts";

const INPUTS = 1500;
/** No time is judged here: late means never. The long test judges the second. */
const LIMITS = { withinMs: 60_000, silentMs: 20, parallel: 16 };

test(`${INPUTS} hostile inputs on port and private socket: each answered or closed, none breaks a handler`, async (t) => {
  const seed = attackSeed(process.env);
  t.diagnostic(`seed ${seed}`);
  await using hostile = await openHostileServer();
  const report = await attack(targetsOf(hostile.doors, SERVER_SERVICES), {
    seed,
    inputs: INPUTS,
    ...LIMITS,
  });
  t.diagnostic(describeAttack(report));
  assert.deepEqual(report.late, []);
  assert.deepEqual(hostile.faults, []);
});
