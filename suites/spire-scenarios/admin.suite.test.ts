import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { after, before, test } from "node:test";
import { generateKey } from "@bonafide/pki";
import { Agent } from "@bonafide/proto/spire/api/server/agent/v1/agent_pb";
import { Bundle } from "@bonafide/proto/spire/api/server/bundle/v1/bundle_pb";
import { Debug } from "@bonafide/proto/spire/api/server/debug/v1/debug_pb";
import { Entry } from "@bonafide/proto/spire/api/server/entry/v1/entry_pb";
import { LocalAuthority } from "@bonafide/proto/spire/api/server/localauthority/v1/localauthority_pb";
import { Logger } from "@bonafide/proto/spire/api/server/logger/v1/logger_pb";
import { SVID } from "@bonafide/proto/spire/api/server/svid/v1/svid_pb";
import type { X509SVIDResponse } from "@bonafide/proto/workload_pb";
import { attest, csrOf, failureOf } from "@bonafide/server/testing";
import { certificatesOf } from "./certificates.ts";
import { openScenario, type Presented, type Scenario } from "./scenario.ts";

const options = { timeout: 300_000 };

let scenario: Scenario;
before(async () => {
  scenario = await openScenario();
}, options);
after(async () => {
  await scenario[Symbol.asyncDispose]();
});

/** What administrators may call, by name. */
function administration(
  as: Presented | undefined,
): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    listAgents: () => scenario.remote(Agent, as).listAgents({}),
    countAgents: () => scenario.remote(Agent, as).countAgents({}),
    createJoinToken: () => scenario.remote(Agent, as).createJoinToken({ ttl: 60 }),
    listEntries: () => scenario.remote(Entry, as).listEntries({}),
    countEntries: () => scenario.remote(Entry, as).countEntries({}),
    deleteEntries: () => scenario.remote(Entry, as).batchDeleteEntry({ ids: ["none"] }),
    listFederatedBundles: () => scenario.remote(Bundle, as).listFederatedBundles({}),
    countBundles: () => scenario.remote(Bundle, as).countBundles({}),
    authorityState: () => scenario.remote(LocalAuthority, as).getX509AuthorityState({}),
    mintJwt: () =>
      scenario
        .remote(SVID, as)
        .mintJWTSVID({ id: scenario.id("/minted"), audience: ["somebody"], ttl: 60 }),
  };
}

/** What this workload presents by the first SVID of a message. */
function presentedBy({ svids: [svid] }: X509SVIDResponse): Presented {
  assert.ok(svid !== undefined);
  const key = Buffer.from(svid.x509SvidKey);
  return {
    chain: certificatesOf(svid.x509Svid).map(({ raw }) => new Uint8Array(raw)),
    privateKey: createPrivateKey({ key, format: "der", type: "pkcs8" }),
  };
}

test(
  "admin-endpoints: an administrator's SVID may, a workload's, a node's and nobody's may not",
  options,
  async () => {
    await using agent = await scenario.agent(await scenario.token("/node/admin"));
    await agent.serves();
    const { id } = await scenario.entry("/admin", "/node/admin", { admin: true });
    const admin = presentedBy(await agent.hasIds([scenario.text("/admin")]));
    for (const [name, call] of Object.entries(administration(admin))) {
      await assert.doesNotReject(call, name);
    }

    await scenario.admin(Entry).batchDeleteEntry({ ids: [id] });
    await scenario.entry("/plain", "/node/admin");
    const plain = presentedBy(await agent.hasIds([scenario.text("/plain")]));
    const node = await attest(
      scenario.remote(Agent),
      await scenario.token(),
      generateKey("ec-p256"),
    );
    // The administrator's SVID lives on for a while; what made it an administrator does not.
    const callers = { admin, plain, node, nobody: undefined };
    for (const [who, presented] of Object.entries(callers)) {
      for (const [name, call] of Object.entries(administration(presented))) {
        assert.equal((await failureOf(call())).status, "permission_denied", `${who}: ${name}`);
      }
    }
  },
);

test(
  "debug-endpoints: logger and debug are answered on the admin socket only",
  options,
  async () => {
    assert.ok((await scenario.admin(Debug).getInfo({})).uptime >= 0);
    await scenario.admin(Logger).getLogger({});
    for (const call of [
      scenario.remote(Debug).getInfo({}),
      scenario.remote(Logger).getLogger({}),
    ]) {
      assert.ok(["permission_denied", "unimplemented"].includes((await failureOf(call)).status));
    }
  },
);

test(
  "downstream-endpoints: who is no downstream gets no authority and publishes no key",
  options,
  async () => {
    await using agent = await scenario.agent(await scenario.token("/node/downstream"));
    await agent.serves();
    await scenario.entry("/plain-2", "/node/downstream");
    const plain = presentedBy(await agent.hasIds([scenario.text("/plain-2")]));
    const csr = csrOf(generateKey("ec-p256"));
    for (const presented of [plain, undefined]) {
      const calls = [
        scenario.remote(SVID, presented).newDownstreamX509CA({ csr }),
        scenario.remote(Bundle, presented).publishJWTAuthority({}),
      ];
      for (const call of calls) assert.equal((await failureOf(call)).status, "permission_denied");
    }
  },
);
