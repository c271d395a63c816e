import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { assertNothingKept, attackSeed, describeAttack, longAttack } from "@bonafide/rpc/testing";
import { openHostileServer } from "./testing/hostile-server.ts";

const INPUTS = Number(process.env["INPUTS"] ?? 200_000);

test(`${INPUTS} hostile inputs on port and private socket: answered or closed within a second, and nothing kept`, async (t) => {
  const seed = attackSeed(process.env);
  t.diagnostic(`seed ${seed}`);
  await using hostile = await openHostileServer();
  const report = await longAttack(hostile.targets, { seed, inputs: INPUTS });
  t.diagnostic(describeAttack(report));
  t.diagnostic(JSON.stringify({ warm: report.warm, held: report.held }));
  assert.deepEqual(report.late, []);
  assertNothingKept(report);
});
