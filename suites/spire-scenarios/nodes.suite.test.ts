import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { generateKey } from "@bonafide/pki";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { attest, csrOf, failureOf } from "@bonafide/server/testing";
import { openScenario, type Scenario } from "./scenario.ts";

const options = { timeout: 300_000 };

let scenario: Scenario;
before(async () => {
  scenario = await openScenario();
}, options);
after(async () => {
  await scenario[Symbol.asyncDispose]();
});

async function agentIds(): Promise<string[]> {
  const { agents } = await scenario.admin(Agent).listAgents({});
  return agents.map(({ id }) => id?.path ?? "");
}

test(
  "join-token: an agent joins, its other name parents entries, its token lets nobody else in",
  options,
  async () => {
    const token = await scenario.token("/node/vanity");
    await using agent = await scenario.agent(token);
    await agent.serves();
    await scenario.entry("/by-alias", "/node/vanity");
    await scenario.entry("/by-id", `/spire/agent/join_token/${token}`);
    await agent.hasIds([scenario.text("/by-alias"), scenario.text("/by-id")]);

    const known = await agentIds();
    await using second = await scenario.agent(token);
    await second.ended();
    assert.deepEqual(await agentIds(), known);
  },
);

test(
  "node-attestation: a bare client attests and renews; once banned it does neither",
  options,
  async () => {
    const key = generateKey("ec-p256");
    const token = await scenario.token();
    const svid = await attest(scenario.remote(Agent), token, key);
    assert.equal(svid.id, scenario.text(`/spire/agent/join_token/${token}`));
    const next = generateKey("ec-p256");
    const renewed = await scenario.remote(Agent, svid).renewAgent({ params: { csr: csrOf(next) } });
    const chain = renewed.svid?.certChain ?? [];
    assert.equal(renewed.svid?.id?.path, `/spire/agent/join_token/${token}`);

    await scenario.admin(Agent).banAgent({ id: scenario.id(`/spire/agent/join_token/${token}`) });
    const renewing = scenario
      .remote(Agent, { chain, privateKey: next.privateKey })
      .renewAgent({ params: { csr: csrOf(next) } });
    assert.equal((await failureOf(renewing)).status, "permission_denied");
    const again = attest(scenario.remote(Agent), token, generateKey("ec-p256"));
    assert.ok(["permission_denied", "invalid_argument"].includes((await failureOf(again)).status));
  },
);

test(
  "node-re-attestation: an evicted join-token agent does not come back by itself",
  options,
  async () => {
    const token = await scenario.token();
    await using agent = await scenario.agent(token);
    await agent.serves();
    const id = scenario.id(`/spire/agent/join_token/${token}`);
    await scenario.admin(Agent).deleteAgent({ id });
    await agent.ended();
    await agent.restart();
    await agent.ended();
    assert.equal((await failureOf(scenario.admin(Agent).getAgent({ id }))).status, "not_found");
  },
);

test(
  "evict-agent: a banned agent ends and cannot start; evicted, its node may join by a new token",
  options,
  async () => {
    const token = await scenario.token();
    await using agent = await scenario.agent(token);
    await agent.serves();
    const path = `/spire/agent/join_token/${token}`;
    await scenario.admin(Agent).banAgent({ id: scenario.id(path) });
    await agent.ended();
    await agent.restart();
    await agent.ended();
    assert.equal((await scenario.admin(Agent).getAgent({ id: scenario.id(path) })).banned, true);

    await scenario.admin(Agent).deleteAgent({ id: scenario.id(path) });
    const next = await scenario.token("/node/back");
    await using back = await scenario.agent(next);
    await back.serves();
    await scenario.entry("/back", "/node/back");
    await back.hasIds([scenario.text("/back")]);
  },
);
