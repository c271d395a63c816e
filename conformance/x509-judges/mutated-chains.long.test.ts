import assert from "node:assert/strict";
import { test } from "node:test";
import { freshSeed, openGoJudge, report } from "./judges.ts";
import { judgeMutations } from "./mutated-chains.ts";

const COUNT = 100_000;

test(`X509-19 (X509-SVID §5.1): of ${COUNT} mutated chains, Go and OpenSSL accept what we accept`, () => {
  using go = openGoJudge();
  const seed = freshSeed("mutated chains");
  const { accepted, problems, known } = judgeMutations(go.judge, { seed, count: COUNT });
  report(`mutated chains: ${accepted} of ${COUNT} accepted`);
  for (const [why, times] of known) report(`${times} refused elsewhere for ${why}`);
  assert.deepEqual(problems, []);
});
