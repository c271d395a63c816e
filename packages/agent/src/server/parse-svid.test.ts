import assert from "node:assert/strict";
import { test } from "node:test";
import { X509SVIDSchema } from "@bonafide/proto/spire/api/types/x509svid_pb";
import { jwtBundleOf, type X509Svid } from "@bonafide/spiffe";
import { TestTrustDomain } from "@bonafide/spiffe/testing";
import { create } from "@bufbuild/protobuf";
import { SKEW_REFUSE_MS } from "../core/clock-skew.ts";
import { parseAgentSvid } from "./parse-svid.ts";

const NOW = 1_795_000_000_000;
const MINUTE_MS = 60_000;
const AGENT = "/spire/agent/join_token/one";

const domain = new TestTrustDomain("example.org", { now: NOW });
const { trustDomain } = domain;
const bundle = {
  trustDomain,
  x509: domain.bundle,
  tainted: new Set<string>(),
  jwt: jwtBundleOf(trustDomain, []),
  taintedJwt: new Set<string>(),
  sequence: 1n,
};
const notBefore = NOW - MINUTE_MS;
const notAfter = NOW + 60 * MINUTE_MS;

function take(svid: X509Svid, now: number, { privateKey } = svid): X509Svid {
  const message = create(X509SVIDSchema, { certChain: svid.chain.map(({ der }) => der) });
  return parseAgentSvid(message, { privateKey, bundle, now });
}

test("an agent takes its own SVID by any clock that is no more than five minutes off", () => {
  const svid = domain.issue(AGENT, { notBefore, notAfter });
  for (const now of [notBefore - SKEW_REFUSE_MS, NOW, notAfter + SKEW_REFUSE_MS]) {
    assert.equal(take(svid, now).id, `spiffe://example.org${AGENT}`);
  }
});

test("by a clock that is more off it takes none, and learns the server's time", () => {
  const svid = domain.issue(AGENT, { notBefore, notAfter });
  for (const [now, serverTime] of [
    [notBefore - SKEW_REFUSE_MS - 1, notBefore],
    [notAfter + SKEW_REFUSE_MS + 1, notAfter],
  ] as const) {
    assert.throws(() => take(svid, now), {
      code: "CLOCK_SKEWED",
      retry: true,
      details: { serverTime: String(serverTime) },
    });
  }
});

test("an SVID of a workload, another domain, another authority or another key is not this agent's", () => {
  const svid = domain.issue(AGENT);
  const other = new TestTrustDomain("example.org", { now: NOW });
  const foreign = new TestTrustDomain("other.org", { now: NOW });
  const refused = { code: "SERVER_ANSWER_INVALID" };
  for (const wrong of [domain.issue("/web"), foreign.issue(AGENT), other.issue(AGENT)]) {
    assert.throws(() => take(wrong, NOW), refused);
  }
  assert.throws(() => take(domain.forge("spiffe://other.org/spire/agent/a"), NOW), refused);
  assert.throws(() => take(svid, NOW, domain.issue(AGENT)), refused);
  assert.throws(() => parseAgentSvid(undefined, { ...svid, bundle, now: NOW }), refused);
});
