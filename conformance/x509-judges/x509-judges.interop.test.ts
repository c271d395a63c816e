import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { chainCases } from "@bonafide/pki/testing";
import * as fc from "fast-check";
import { type DerChain, freshSeed, openGoJudge, opensslJudge, ours, report } from "./judges.ts";
import { judgeMutations } from "./mutated-chains.ts";
import { randomChain } from "./random-chain.ts";

const RANDOM_CHAINS = 400;
const MUTATED_CHAINS = 5000;
const now = Date.now();

/** Where Go sees a case of the fixture list otherwise, and why. */
const GO_DIFFERS: Readonly<Record<string, string>> = {
  "R7: leaf with CA true": "a rule for identities",
  "R8: leaf with keyCertSign": "a rule for identities",
  "R9: leaf with cRLSign": "a rule for identities",
  "R25: the trust anchor presented as peer": "a rule for identities",
  "R28: RSA 1024 leaf": "it leaves the size of keys to TLS",
  "R28: RSA 1024 authority": "it leaves the size of keys to TLS",
  "R: more certificates than a peer may present": "a bound of ours",
  "R: path deeper than the limit": "a bound of ours",
  "R: constraint on DNS names": "it can judge DNS names",
  "R: version 1": "it reads the extensions of a version that has none",
};

suite("X509-19 (X509-SVID §5.1): Go's crypto/x509 and OpenSSL as judges of the same chains", () => {
  const go = openGoJudge();
  after(() => {
    go[Symbol.dispose]();
  });

  test("the fixture list, but where the list here says why not", () => {
    const cases = chainCases().map(({ name, chain, anchors }) => ({
      name,
      chain: chain.map(({ der }) => der),
      anchors: anchors.map(({ der }) => der),
    }));
    const verdicts = go.judge(cases, now);
    const problems = cases.flatMap((entry, index) => {
      const verdict = ours(entry, now);
      const differs = (verdicts[index] === "ok") !== (verdict === "ok");
      if (differs === entry.name in GO_DIFFERS) return [];
      return [`${entry.name}: ours ${verdict}, Go ${verdicts[index] ?? ""}`];
    });
    assert.deepEqual(problems, []);
  });

  test(`${RANDOM_CHAINS} random chains`, () => {
    const seed = freshSeed("random chains");
    const chains = fc.sample(randomChain, { numRuns: RANDOM_CHAINS, seed });
    let accepted = 0;
    for (const [name, judge] of [
      ["Go", go.judge],
      ["OpenSSL", opensslJudge],
    ] as const) {
      const verdicts = judge(chains, now);
      const problems = chains.flatMap((entry: DerChain, index) => {
        const verdict = ours(entry, now);
        if (verdict === "ok") accepted++;
        if ((verdict === "ok") === (verdicts[index] === "ok")) return [];
        return [`seed ${seed}, chain ${index}: ours ${verdict}, ${name} ${verdicts[index] ?? ""}`];
      });
      assert.deepEqual(problems, []);
    }
    const share = accepted / (2 * RANDOM_CHAINS);
    assert.ok(share > 0.05 && share < 0.95, `${share}`);
  });

  test(`${MUTATED_CHAINS} mutated chains: what we accept, both accept`, () => {
    const seed = freshSeed("mutated chains");
    const { accepted, problems } = judgeMutations(go.judge, { seed, count: MUTATED_CHAINS });
    report(`mutated chains: ${accepted} of ${MUTATED_CHAINS} accepted`);
    assert.deepEqual(problems, []);
    const share = accepted / MUTATED_CHAINS;
    assert.ok(share > 0.05 && share < 0.95, `${share}`);
  });
});
