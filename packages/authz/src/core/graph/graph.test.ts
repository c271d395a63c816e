import assert from "node:assert/strict";
import { test } from "node:test";
import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import {
  AccessGraph,
  buildRequest,
  compilePolicies,
  decide,
  diffAccess,
  EMPTY_RECORD,
  enforce,
  entityOf,
  EntityStore,
  EntityUid,
  modelEntities,
  policiesOf,
  parseRecord,
  printExpression,
  reach,
  reachablesOf,
  readFolder,
  renderDiff,
  whoCan,
  why,
} from "../../index.ts";
import { parsers } from "../../testing/parsers.ts";
import { expression, randomWorld } from "../../testing/random-cedar.ts";
import { Random } from "../../testing/random.ts";
import { smallOrg } from "../../testing/small-org.ts";
import { actionOf } from "../model/entity-names.ts";

const SEED = Number(process.env["AUTHZ_FUZZ_SEED"] ?? 11);
const TYPES = ["User", "Group", "Ns::Doc"];
const UIDS = TYPES.flatMap((type) => ["a", "b", 'q"', "ü"].map((id) => new EntityUid(type, id)));
const ACTIONS = ["view", "edit", "all"].map((id) => new EntityUid("Action", id));

function graphOf(files: ReadonlyMap<string, string>): {
  readonly graph: AccessGraph;
  readonly reachables: ReturnType<typeof reachablesOf>;
} {
  const { folder } = readFolder(files, parsers);
  const { model } = folder;
  const graph = new AccessGraph({
    policies: policiesOf(folder),
    entities: modelEntities(model),
    principals: [
      ...model.workloads.map(({ id }) => entityOf("Workload", id)),
      ...model.users.map(({ name }) => entityOf("User", name)),
    ],
  });
  return { graph, reachables: reachablesOf(model) };
}

test(`who-can equals brute force on 1,000 random models, from seed ${SEED}`, () => {
  let allowed = 0;
  let conditional = 0;
  for (let world = 0; world < 1000; world++) {
    const random = new Random(SEED * 10_000 + world);
    const made = randomWorld(random, 6);
    const entities = EntityStore.parse(made.requests[0]?.entities ?? []);
    const policies = new Map(Object.entries(made.policies));
    const compiled = compilePolicies(policies);
    const graph = new AccessGraph({ policies, entities, principals: UIDS });
    const contexts = [EMPTY_RECORD, ...made.requests.map(({ context }) => parseRecord(context))];
    for (const action of ACTIONS) {
      const resource = random.pick(UIDS);
      const found = new Map(
        whoCan(graph, action, resource).flatMap(({ principals, access }) =>
          principals.map((uid) => [uid.key, access.kind] as const),
        ),
      );
      for (const principal of UIDS) {
        const kind = found.get(principal.key) ?? "deny";
        for (const context of contexts) {
          const request = { principal, action, resource, context };
          const verdict = enforce(decide(compiled, entities, request));
          if (kind === "conditional") conditional++;
          // A forbid that errs by its context alarms and denies, which no validated policy does.
          else if (!verdict.alarm) assert.equal(verdict.allowed, kind === "allow", `${world}`);
          else assert.equal(verdict.allowed, false);
          if (verdict.allowed) allowed++;
        }
      }
    }
  }
  assert.ok(allowed > 10_000 && conditional > 10_000, `${allowed} ${conditional}`);
});

test("what is printed is what was meant", () => {
  for (let i = 0; i < 2000; i++) {
    const random = new Random(SEED * 20_000 + i);
    const body = expression(random, "bool", 0);
    const text = printExpression(body);
    if (/has [^ ]*"[^ ]*\.|\. has|\."/.test(text)) continue;
    const answer = cedar.policyToJson(`permit (principal, action, resource) when { ${text} };`);
    assert.equal(answer.type, "success", text);
    const again = answer.type === "success" ? answer.json.conditions[0]?.body : undefined;
    assert.equal(bareNegatives(printExpression(again)), bareNegatives(text));
  }
});

test("reach and who-can know conditions, guardrails and undeclared routes", () => {
  const { graph, reachables } = graphOf(smallOrg());
  const alice = entityOf("User", "alice");
  const seen = reach(graph, alice, reachables).map(
    ({ resource, action, access }) =>
      `${access.kind} ${action.id} ${resource.id} ${access.conditions.join()}`,
  );
  assert.ok(seen.includes("conditional http.GET payments/v1/refunds/{id} context.tls"));
  assert.ok(seen.includes("conditional http.GET payments/? context.tls"));
  assert.ok(!seen.some((line) => line.includes("http.POST")));
  const route = entityOf("Route", "payments/v1/refunds/{id}");
  const posting = whoCan(graph, actionOf("http.POST"), route);
  assert.deepEqual(
    posting.map(({ principals, access }) => [principals.map(({ id }) => id), access.kind]),
    [[["spiffe://example.org/ns/shop/checkout"], "allow"]],
  );
  const bot = entityOf("Workload", "spiffe://example.org/ns/shop/bot");
  const own = entityOf("Service", "catalogue");
  assert.equal(graph.can(bot, actionOf("net.connect"), own).kind, "allow");
  const anyRoute = entityOf("Route", "catalogue/?");
  assert.deepEqual(graph.can(bot, actionOf("http.POST"), anyRoute), {
    kind: "deny",
    policies: ["guardrails/agents-read"],
    conditions: [],
  });
});

test("why names the policy, and the condition that failed", () => {
  const { graph } = graphOf(smallOrg());
  const { policies, entities } = graph.parts;
  const resource = entityOf("Route", "payments/v1/refunds/{id}");
  const request = buildRequest({ user: "alice" }, "http.GET", resource, { now: 0, tls: false });
  const { verdict, accounts } = why(policies, entities, request);
  assert.equal(verdict.allowed, false);
  assert.deepEqual(
    accounts.map(({ policyId, outcome, condition }) => [policyId, outcome, condition]),
    [
      ["guardrails/agents-read", "other-action", undefined],
      ["payments/checkout-refunds", "other-principal", undefined],
      ["payments/support-reads", "fails", "context.tls"],
    ],
  );
});

test("a diff shows access gained, lost and under other conditions", () => {
  const before = graphOf(smallOrg());
  const files = smallOrg();
  files.delete("teams/payments/policies/refunds.yaml");
  files.set(
    "teams/payments/policies/cart.yaml",
    `allow: [{ id: cart, reason: x, from: "spiffe://example.org/ns/shop/cart/*",
      to: payments/pay.v1.Payments/Refund, actions: [grpc.call], approver: "@sec" }]`,
  );
  const support = "teams/payments/policies/support.cedar";
  files.set(support, (files.get(support) ?? "").replace("context.tls", "!context.tls"));
  const after = graphOf(files);
  const changes = diffAccess({
    before: before.graph,
    after: after.graph,
    reachables: before.reachables,
  });
  const text = renderDiff({
    changes: changes.map((change) => ({ ...change, data: [] })),
    newPaths: [],
    lostPaths: [],
    subjects: [],
    latent: [],
    declassified: [],
  });
  assert.equal(
    text.split("\n")[0],
    "+ spiffe://example.org/ns/shop/cart/web may grpc.call payments/pay.v1.Payments/Refund",
  );
  assert.ok(
    text.includes("~ user:alice may http.GET payments/v1/refunds/{id}, only if !context.tls"),
  );
  assert.ok(
    text.includes(
      "- spiffe://example.org/ns/shop/checkout may no longer http.GET, http.POST payments/v1",
    ),
  );
  assert.ok(!text.includes("catalogue"));
  const same = { before: before.graph, after: graphOf(smallOrg()).graph };
  assert.deepEqual(diffAccess({ ...same, reachables: before.reachables }), []);
});

test(`a diff equals brute force on random models, from seed ${SEED}`, () => {
  for (let world = 0; world < 200; world++) {
    const random = new Random(SEED * 30_000 + world);
    const made = randomWorld(random, 2);
    const [first, second] = made.requests.map((request) => EntityStore.parse(request.entities));
    if (first === undefined || second === undefined) continue;
    const policies = new Map(Object.entries(made.policies));
    const fewer = new Map([...policies].filter(() => random.chance(70)));
    const before = new AccessGraph({ policies, entities: first, principals: UIDS });
    const entities = random.chance(50) ? first : second;
    const after = new AccessGraph({ policies: fewer, entities, principals: UIDS });
    const reachables = UIDS.map((resource) => ({
      resource,
      actions: ["http.GET"] as const,
      service: "",
    }));
    const action = actionOf("http.GET");
    const changed = new Set(
      diffAccess({ before, after, reachables }).flatMap(({ principals, resource }) =>
        principals.map((principal) => principal.key + resource.key),
      ),
    );
    for (const principal of UIDS) {
      for (const resource of UIDS) {
        const [was, is] = [before, after].map((graph) => graph.can(principal, action, resource));
        const differs = was?.kind !== is?.kind || was?.conditions.join() !== is?.conditions.join();
        assert.equal(changed.has(principal.key + resource.key), differs, `world ${world}`);
      }
    }
  }
});

/** Cedar reads a minus before a number as a part of it, which means the same. */
function bareNegatives(text: string): string {
  const bare = text.replaceAll(/\((-+\d+)\)/g, "$1").replaceAll(/-0(?!\d)/g, "0");
  return bare === text ? text : bareNegatives(bare);
}
