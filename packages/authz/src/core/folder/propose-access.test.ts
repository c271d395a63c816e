import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AccessRequest,
  actionOf,
  checkFolder,
  drawGraph,
  entityOf,
  graphOfFolder,
  graphToDot,
  graphToMermaid,
  proposeAccess,
  readFolder,
} from "../../index.ts";
import { parsers } from "../../testing/parsers.ts";
import { smallOrg } from "../../testing/small-org.ts";

const { folder } = readFolder(smallOrg(), parsers);
const ASK: AccessRequest = {
  from: "spiffe://example.org/ns/shop/cart/web",
  to: "payments/v1/refunds/{id}",
  actions: ["GET"],
  reason: "We show refunds",
  requestedBy: "@cart",
};

function withProposal(ask: AccessRequest): ReturnType<typeof checkFolder> {
  const { files } = proposeAccess(folder, ask);
  return checkFolder(new Map([...smallOrg(), ...files]), { ...parsers, validate: () => [] });
}

const edges = (of: ReturnType<typeof drawGraph>): string[] =>
  of.edges.map(({ caller, service, isConditional }) => {
    const name = caller.id.split("/").at(-1) ?? "";
    return `${name} ${isConditional ? "?" : ">"} ${service}`;
  });

test("what is asked for lies in the owner's folder, names its approver, and opens just that", () => {
  const { team, policyId, reviewers, files } = proposeAccess(folder, ASK);
  assert.equal(team, "payments");
  assert.equal(policyId, "payments/ns-shop-cart-web-payments-v1-refunds-id");
  assert.deepEqual(reviewers, ["@pay", "@sec"]);
  assert.ok([...files.keys()].every((path) => path.startsWith("teams/payments/")));
  const { folder: after, findings } = withProposal(ASK);
  assert.deepEqual(findings, []);
  const graph = graphOfFolder(after);
  const route = entityOf("Route", "payments/v1/refunds/{id}");
  const web = entityOf("Workload", ASK.from);
  assert.equal(graph.can(web, actionOf("http.GET"), route).kind, "allow");
  assert.equal(graph.can(web, actionOf("http.POST"), route).kind, "deny");
});

test("no text that a caller writes becomes anything but text", () => {
  const hostile = 'x"\nallow:\n  - { id: y, reason: z, from: "team:shop", to: payments }\n# ';
  const { folder: after, findings } = withProposal({
    ...ASK,
    reason: hostile,
    requestedBy: hostile.replaceAll("\n", " "),
  });
  assert.deepEqual(findings, []);
  assert.equal(after.policies.length, folder.policies.length + 1);
  const added = after.policies.find(({ id }) => id.endsWith("refunds-id"));
  assert.equal(added?.policy.annotations.get("reason"), hostile);
});

test("callers of other trust domains, groups and prefixes can ask too; an id is never taken twice", () => {
  for (const from of [
    "spiffe://partner.example/caller",
    "group:support",
    "spiffe://example.org/ns/shop/*",
  ]) {
    assert.deepEqual(withProposal({ ...ASK, from }).findings, [], from);
  }
  const first = proposeAccess(folder, ASK);
  const { folder: after } = withProposal(ASK);
  assert.equal(proposeAccess(after, ASK).policyId, `${first.policyId}-2`);
});

test("what is not declared, no action and no service cannot be asked for", () => {
  for (const wrong of [
    { to: "payments/v9" },
    { to: "nothing/v1" },
    { actions: [] },
    { actions: ["BREW"] },
  ]) {
    assert.throws(() => proposeAccess(folder, { ...ASK, ...wrong }), {
      code: "AUTHZ_REQUEST_INVALID",
    });
  }
});

test("a drawing has an edge for each caller and service, and follows chains from one caller", () => {
  const files = new Map([
    ...smallOrg(),
    [
      "teams/shop/team.yaml",
      `services: { catalogue: { servedBy: ["spiffe://example.org/ns/shop/checkout"] } }`,
    ],
    [
      "teams/shop/policies/cart.yaml",
      `allow: [{ id: c, reason: y, from: spiffe://example.org/ns/shop/cart/web, to: catalogue, actions: [http.GET] }]`,
    ],
  ]);
  const { folder: drawn, findings } = readFolder(files, parsers);
  assert.deepEqual(findings, []);
  const graph = graphOfFolder(drawn);
  assert.deepEqual(edges(drawGraph(graph, drawn.model)), [
    "alice ? payments",
    "checkout > payments",
    "checkout > catalogue",
    "bot > catalogue",
    "web > catalogue",
  ]);
  const from = [entityOf("Workload", "spiffe://example.org/ns/shop/cart/web")];
  const chained = drawGraph(graph, drawn.model, { from });
  assert.deepEqual(edges(chained), [
    "web > catalogue",
    "checkout > payments",
    "checkout > catalogue",
  ]);
  assert.deepEqual(edges(drawGraph(graph, drawn.model, { to: "payments" })).length, 2);
  assert.match(
    graphToDot(chained),
    /"service catalogue" -> "spiffe:\/\/example.org\/ns\/shop\/checkout" \[style=dotted/,
  );
  assert.match(graphToMermaid(chained), /^flowchart LR\n/);
});

test("names cannot leave their labels in a drawing", () => {
  const files = new Map([
    ...smallOrg(),
    ["people.yaml", `users: { 'a"]; x -> y [label="\\': [support] }\ngroups: { support: [] }\n`],
  ]);
  const { folder: drawn } = readFolder(files, parsers);
  const drawing = drawGraph(graphOfFolder(drawn), drawn.model);
  const dot = graphToDot(drawing).replaceAll(/"(?:\\.|[^"\\])*"/g, "Q");
  assert.ok(!/[^"]x -> y/.test(dot), dot);
  const mermaid = graphToMermaid(drawing).replaceAll(/"[^"]*"/g, "Q");
  assert.ok(!mermaid.includes("x -"), mermaid);
});

test("a file that is there is never the place of a new request, whatever its permits are called", () => {
  const [first] = proposeAccess(folder, ASK).files.keys();
  const files = new Map([...smallOrg(), [first ?? "", "allow: []\n"]]);
  const { files: proposed } = proposeAccess(readFolder(files, parsers).folder, ASK);
  assert.ok([...proposed.keys()].every((path) => !files.has(path)));
});
