import assert from "node:assert/strict";
import { test } from "node:test";
import {
  actionOf,
  checkFolder,
  codeowners,
  entityOf,
  graphOfFolder,
  nameOf,
  readAction,
  readCaller,
  readFolder,
  readResource,
} from "../../index.ts";
import { parsers } from "../../testing/parsers.ts";
import { smallOrg } from "../../testing/small-org.ts";

const tools = { ...parsers, validate: () => [] };

/** Findings as `file:line rule`, of the folder with some files put in. */
function findingsWith(...files: readonly (readonly [path: string, text: string])[]): string[] {
  const folder = smallOrg();
  for (const [path, text] of files) folder.set(path, text);
  return checkFolder(folder, tools).findings.map(
    ({ file, line, rule }) => `${file}:${line} ${rule}`,
  );
}

const allow = (from: string, to: string): string =>
  `allow:\n  - { id: x, reason: y, from: "${from}", to: "${to}" }\n`;

const serves = (id: string): readonly [string, string] => [
  "teams/shop/team.yaml",
  `services:\n  catalogue:\n    servedBy: ["${id}"]\n`,
];

const people = (owner: string): readonly [string, string] => [
  "people.yaml",
  `users: { alice: [support] }
groups: { support: [] }
devices:
  laptop: { owner: ${owner}, posture: [disk-encrypted], groups: [support] }
`,
];

test("a folder in good order has no findings", () => {
  assert.deepEqual(findingsWith(), []);
});

test("what the validator says comes with the place of the policy", () => {
  const complaints = [{ policyId: "payments/checkout-refunds", reason: "no" }];
  const { findings } = checkFolder(smallOrg(), { ...parsers, validate: () => complaints });
  assert.deepEqual(findings, [
    {
      file: "teams/payments/policies/refunds.yaml",
      line: 2,
      rule: "schema",
      reason: "payments/checkout-refunds: no",
    },
  ]);
});

test("a policy about what nobody declares, or from a team that is none, is refused", () => {
  const permit = "teams/shop/policies/x.yaml";
  assert.deepEqual(findingsWith([permit, allow("team:cart", "catalogue")]), []);
  assert.deepEqual(findingsWith([permit, allow("team:cart", "catalogue/v9")]), [
    `${permit}:2 model`,
  ]);
  assert.deepEqual(findingsWith([permit, allow("team:crat", "catalogue")]), [`${permit}:2 model`]);
});

test("a service is served by workloads of its team only", () => {
  assert.deepEqual(findingsWith(serves("spiffe://example.org/ns/shop/checkout")), []);
  for (const id of [
    "spiffe://example.org/ns/payments/api",
    "spiffe://example.org/ns/shop/cart/web",
  ]) {
    assert.deepEqual(findingsWith(serves(id)), ["teams/shop/team.yaml:3 R3"]);
  }
});

test("two routes that differ by the names of their parameters only are one too many", () => {
  const routes = `service: catalogue
routes:
  - { path: "/v1/{id}", methods: [GET] }
  - { path: "/v1/{name}", methods: [POST] }
`;
  assert.deepEqual(findingsWith(["teams/shop/routes/c.yaml", routes]), [
    "teams/shop/routes/c.yaml:3 model",
  ]);
});

test("devices are callers with an owner who is known, a posture and groups", () => {
  assert.deepEqual(findingsWith(people("bob")), ["people.yaml:4 model"]);
  const files = new Map([...smallOrg(), people("alice")]);
  files.set(
    "teams/shop/policies/laptops.cedar",
    `@id("laptops") @reason("Staff looks in")
permit (principal is BF::Device, action == BF::Action::"net.connect", resource == BF::Service::"catalogue")
when { principal.posture.contains("disk-encrypted") && principal has owner &&
  principal.owner in BF::Group::"support" };`,
  );
  const { folder, findings } = readFolder(files, parsers);
  assert.deepEqual(findings, []);
  const laptop = readCaller("device:laptop", folder.model);
  const graph = graphOfFolder(folder);
  const connect = actionOf("net.connect");
  assert.equal(graph.can(laptop, connect, entityOf("Service", "catalogue")).kind, "allow");
  assert.equal(graph.can(laptop, connect, entityOf("Service", "payments")).kind, "deny");
});

test("callers, actions and resources are read as people write them", () => {
  const { model } = readFolder(smallOrg(), parsers).folder;
  const checkout = readCaller("shop/checkout", model);
  assert.equal(checkout.id, "spiffe://example.org/ns/shop/checkout");
  assert.equal(readCaller(checkout.id, model).key, checkout.key);
  assert.equal(nameOf(readCaller("user:alice", model)), "user:alice");
  assert.equal(readAction("POST"), "http.POST");
  assert.equal(readAction("db.write"), "db.write");
  const post = readAction("POST");
  for (const [text, name, isDeclared] of [
    ["payments", "payments", true],
    ["payments/v1/refunds/{id}", "payments/v1/refunds/{id}", true],
    ["payments/v1/refunds/7", "payments/v1/refunds/{id}", true],
    ["payments/v1/charges", "payments/?", false],
    ["payments/?", "payments/?", false],
    ["table:payments/entries", "table:payments/entries", true],
    ["topic:payments/refunded", "topic:payments/refunded", true],
  ] as const) {
    const found = readResource(text, post, model);
    assert.deepEqual([nameOf(found.resource), found.isDeclared], [name, isDeclared], text);
  }
  const put = readResource("payments/v1/refunds/{id}", readAction("PUT"), model);
  assert.equal(put.isDeclared, false);
  for (const call of [
    () => readCaller("user:bob", model),
    () => readCaller("device:x", model),
    () => readCaller("nobody", model),
    () => readCaller("heckout", model),
    () => readAction("BREW"),
    () => readResource("nothing/v1", post, model),
    () => readResource("table:payments/none", post, model),
    () => readResource("payments/../x", post, model),
  ]) {
    assert.throws(call, { code: "AUTHZ_REQUEST_INVALID" });
  }
});

test("CODEOWNERS knows where the folder lies in its repository", () => {
  const { org } = readFolder(smallOrg(), parsers).folder;
  assert.deepEqual(codeowners(org, { prefix: "authz/" }).split("\n").slice(0, 2), [
    "/authz/ @sec",
    "/authz/teams/cart/ @cart",
  ]);
});
