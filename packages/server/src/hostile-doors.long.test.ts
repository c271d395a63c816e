import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import {
  assertNothingKept,
  attackSeed,
  describeAttack,
  longAttack,
  openVictim,
  targetsOf,
} from "@bonafide/rpc/testing";
import { SERVER_SERVICES } from "./testing/index.ts";

const INPUTS = Number(process.env["INPUTS"] ?? 200_000);

test(`${INPUTS} hostile inputs on port and private socket: answered or closed within a second, and nothing kept`, async (t) => {
  const seed = attackSeed(process.env);
  t.diagnostic(`seed ${seed}`);
  await using victim = await openVictim(
    new URL("testing/hostile-server-victim.ts", import.meta.url),
  );
  const targets = targetsOf(victim.doors, SERVER_SERVICES);
  const report = await longAttack(victim, targets, { seed, inputs: INPUTS });
  t.diagnostic(describeAttack(report));
  t.diagnostic(`kept: ${JSON.stringify({ warm: report.warm, held: report.held })}`);
  assert.deepEqual(report.late, []);
  assert.deepEqual(report.faults, []);
  assertNothingKept(report);
});
