import assert from "node:assert/strict";
import { test } from "node:test";
import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import {
  buildRequest,
  checkOwnership,
  codeowners,
  compilePolicies,
  decide,
  entityOf,
  type Finding,
  modelEntities,
  policiesOf,
  readFolder,
} from "../../index.ts";
import { parsers } from "../../testing/parsers.ts";
import { smallOrg } from "../../testing/small-org.ts";
import { BASE_SCHEMA } from "../model/schema.ts";

function check(files: ReadonlyMap<string, string>): readonly Finding[] {
  const { folder, findings } = readFolder(files, parsers);
  return [...findings, ...checkOwnership(folder)];
}

const PERMIT = '@id("x") @reason("y") permit (principal in BF::Team::"shop", action, resource';
const own = 'resource in BF::Service::"catalogue"';

test("a folder in good order has no findings, and its policies fit the schema", () => {
  assert.deepEqual(check(smallOrg()), []);
  const { folder } = readFolder(smallOrg(), parsers);
  const texts = folder.policies.map(({ json }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what we judge here
    const answer = cedar.policyToText(json as cedar.PolicyJson);
    assert.equal(answer.type, "success");
    return answer.type === "success" ? answer.text : "";
  });
  const answer = cedar.validate({
    schema: BASE_SCHEMA,
    policies: { staticPolicies: texts.join("\n") },
  });
  assert.equal(answer.type, "success");
  if (answer.type !== "success") return;
  assert.deepEqual([...answer.validationErrors, ...answer.validationWarnings], []);
});

/** Each of eight anchors is ten of the one before. */
const UNFOLDING = ["b", "c", "d", "e", "f", "g", "h"]
  .map((to, index) => `${to}: &${to} [${`*${"abcdefg".charAt(index)},`.repeat(10)}]`)
  .join("\n");

/** Take-overs by people who may write in `teams/shop`, but for those that begin with a path of their own. */
const ATTEMPTS: readonly (readonly [what: string, rule: string, file: string, text: string])[] = [
  [
    "grants itself another's service",
    "R1",
    "policies/x.cedar",
    `${PERMIT} in BF::Service::"payments");`,
  ],
  [
    "grants itself another's route",
    "R1",
    "policies/x.cedar",
    `${PERMIT} == BF::Route::"payments/v1/refunds/{id}");`,
  ],
  ["grants everything", "R1", "policies/x.cedar", `${PERMIT});`],
  ["grants all of a type", "R1", "policies/x.cedar", `${PERMIT} is BF::Service);`],
  ["grants by a tag", "R1", "policies/x.cedar", `${PERMIT} in BF::Tag::"pci");`],
  [
    "grants all that another team has",
    "R1",
    "policies/x.cedar",
    `${PERMIT} in BF::Team::"payments");`,
  ],
  [
    "names the resource in the condition only",
    "R1",
    "policies/x.cedar",
    `${PERMIT}) when { ${own} };`,
  ],
  [
    "grants a type within another's service",
    "R1",
    "policies/x.cedar",
    `${PERMIT} is BF::Route in BF::Service::"payments");`,
  ],
  [
    "grants a resource of a type of its own",
    "R1",
    "policies/x.cedar",
    `${PERMIT} in Shop::Thing::"catalogue");`,
  ],
  [
    "grants another's undeclared routes",
    "R1",
    "policies/x.cedar",
    `${PERMIT} == BF::Route::"payments/?");`,
  ],
  [
    "grants another's table by the short form",
    "R1",
    "policies/x.yaml",
    "allow: [{ id: x, reason: y, from: team:shop, to: table:payments/entries }]",
  ],
  [
    "locks others out of another's service",
    "R1",
    "policies/x.cedar",
    '@id("x") @reason("y") forbid (principal, action, resource in BF::Service::"payments");',
  ],
  [
    "locks everybody out",
    "R1",
    "policies/x.cedar",
    '@id("x") @reason("y") forbid (principal, action, resource);',
  ],
  [
    "hides a grant behind a comment",
    "R1",
    "policies/x.cedar",
    `// ; ${own}\n${PERMIT} in BF::Service::"payments");`,
  ],
  [
    "hides a grant behind a string",
    "R1",
    "policies/x.cedar",
    `@note("; ${own.replaceAll('"', '\\"')}") ${PERMIT} in BF::Service::"payments");`,
  ],
  ["plans it in the shadow", "R1", "shadow/x.cedar", `${PERMIT} in BF::Service::"payments");`],
  [
    "is another's owner by annotation",
    "R1",
    "policies/x.cedar",
    `@owner("payments") ${PERMIT} in BF::Service::"payments");`,
  ],
  [
    "says that it is another team",
    "R7",
    "policies/x.cedar",
    `@owner("payments") ${PERMIT} in BF::Service::"catalogue");`,
  ],
  ["claims another's service", "R3", "team.yaml", "services: { catalogue: {}, payments: {} }"],
  [
    "declares routes of another's service",
    "R3",
    "routes/x.yaml",
    "service: payments\nroutes: [{ path: /v2, methods: [GET] }]",
  ],
  [
    "declares a service whose name reaches into another's",
    "model",
    "team.yaml",
    'services: { "payments/v1": {} }',
  ],
  [
    "declares a path that climbs out",
    "model",
    "routes/x.yaml",
    "service: catalogue\nroutes: [{ path: /../payments, methods: [GET] }]",
  ],
  [
    "claims the undeclared route",
    "model",
    "routes/x.yaml",
    'service: catalogue\nroutes: [{ path: "/?", methods: [GET] }]',
  ],
  [
    "claims SPIFFE IDs for its team",
    "model",
    "team.yaml",
    'services: { catalogue: {} }\nids: ["spiffe://example.org/ns/payments"]',
  ],
  [
    "takes the id of a policy that is there",
    "R7",
    "policies/x.cedar",
    `${PERMIT.replace('"x"', '"own-team"')} in BF::Service::"catalogue");`,
  ],
  [
    "has a policy without a reason",
    "R7",
    "policies/x.cedar",
    `@id("x") permit (principal in BF::Team::"shop", action, ${own});`,
  ],
  [
    "has a policy without an id",
    "R7",
    "policies/x.cedar",
    `@reason("x") permit (principal in BF::Team::"shop", action, ${own});`,
  ],
  [
    "opens itself to a federated domain",
    "R5",
    "policies/x.cedar",
    `@id("x") @reason("y") permit (principal in BF::TrustDomain::"partner.example", action, ${own});`,
  ],
  [
    "opens itself to a domain that nobody federated with",
    "R5",
    "policies/x.cedar",
    `@id("x") @reason("y") @approver("@sec") permit (principal in BF::TrustDomain::"evil.example", action, ${own});`,
  ],
  [
    "opens itself to anybody",
    "R5",
    "policies/x.cedar",
    `@id("x") @reason("y") permit (principal, action, ${own});`,
  ],
  [
    "has an end that is no time",
    "R6",
    "policies/x.cedar",
    `@expires("soon") ${PERMIT} in BF::Service::"catalogue");`,
  ],
  [
    "approves its own request",
    "R9",
    "requests/x.yaml",
    "from: team:shop\nto: payments\nreason: y\nrequestedBy: bob\napprovedBy: [bob]",
  ],
  [
    "hides a file where nobody reads",
    "model",
    "policies/deep/x.cedar",
    "permit (principal, action, resource);",
  ],
  ["writes what is no policy", "syntax", "policies/x.cedar", "permit (principal, action, resource"],
  [
    "permits by guardrail",
    "R2",
    "/guardrails/x.cedar",
    '@id("x") @reason("y") permit (principal, action, resource);',
  ],
  ["makes itself a team", "model", "/teams/root/team.yaml", "services: { root: {} }"],
  [
    "makes itself a team in other letters",
    "model",
    "/teams/Payments/team.yaml",
    "services: { root: {} }",
  ],
  [
    "climbs out of its folder",
    "model",
    "/teams/shop/../payments/policies/x.cedar",
    `${PERMIT} in BF::Service::"payments");`,
  ],
  [
    "spells a class of data in other letters, which nobody would have to approve",
    "model",
    "team.yaml",
    "services: { catalogue: { data: [PCI] } }",
  ],
  [
    "has a tag that only looks like another",
    "model",
    "routes/x.yaml",
    'service: catalogue\nroutes: [{ path: /v2, methods: [GET], tags: ["p\u0441i"] }]',
  ],
  [
    "grants a group whose name nobody can tell from another",
    "model",
    "policies/x.yaml",
    'allow: [{ id: x, reason: y, from: "group:support\\u200b", to: catalogue }]',
  ],
  [
    "grants a group by letters that are put together otherwise",
    "model",
    "policies/x.cedar",
    `@id("x") @reason("y") permit (principal in BF::Group::"cafe\u0301", action, ${own});`,
  ],
  [
    "turns its reason around for whoever reviews it",
    "model",
    "policies/x.cedar",
    `@id("x") @reason("for \u202eeverybody") permit (principal in BF::Team::"shop", action, ${own});`,
  ],
  [
    "writes lines of its own by a name",
    "model",
    "policies/x.yaml",
    'allow: [{ id: x, reason: y, from: "group:a\\n+ root", to: catalogue }]',
  ],
  [
    "has a file whose name hides something",
    "model",
    "policies/x\u200b.cedar",
    `${PERMIT} in BF::Service::"catalogue");`,
  ],
  [
    "says the same field twice",
    "syntax",
    "team.yaml",
    "services: { catalogue: {} }\nservices: { payments: {} }",
  ],
  [
    "merges fields in by an anchor",
    "model",
    "team.yaml",
    "services: { catalogue: &a { data: [] }, other: { <<: *a } }",
  ],
  [
    "unfolds anchors without end",
    "syntax",
    "team.yaml",
    `a: &a [x,x,x,x,x,x,x,x,x,x]\n${UNFOLDING}`,
  ],
  ["has two documents in one file", "syntax", "team.yaml", "services: {}\n---\nservices: {}\n"],
  [
    "leaves a resource open as a template",
    "syntax",
    "policies/x.cedar",
    `@id("x") @reason("y") permit (principal, action, resource in ?resource);`,
  ],
  [
    "names several resources",
    "syntax",
    "policies/x.cedar",
    `${PERMIT} in [BF::Service::"catalogue", BF::Service::"payments"]);`,
  ],
  [
    "names a resource whose id climbs",
    "R1",
    "policies/x.cedar",
    `${PERMIT} == BF::Service::"catalogue/../payments");`,
  ],
  [
    "says an annotation twice",
    "syntax",
    "policies/x.cedar",
    `@id("own-team") ${PERMIT} in BF::Service::"catalogue");`,
  ],
  ["puts its team file deeper", "model", "policies/team.yaml", "services: { payments2: {} }"],
  [
    "climbs out by its team file",
    "model",
    "/teams/shop/../payments/team.yaml",
    "services: { payments2: {} }",
  ],
];

for (const [what, rule, file, text] of ATTEMPTS) {
  test(`${rule}: a team that ${what} is found out`, () => {
    const files = smallOrg();
    const path = file.startsWith("/") ? file.slice(1) : `teams/shop/${file}`;
    files.set(path, text);
    const findings = check(files);
    const shown = path.replace("\u200b", "\\u{200b}");
    const found = findings.filter((finding) => finding.rule === rule && finding.file === shown);
    assert.ok(found.length > 0, JSON.stringify(findings));
    for (const { line, reason } of found) assert.ok(line >= 1 && reason.length > 0);
  });
}

const ORG_FAULTS: readonly (readonly [what: string, rule: string, find: string, put: string])[] = [
  ["one prefix with two owners", "R3", "/ns/payments", "/ns/shop"],
  ["a prefix within a stranger's", "R4", "/ns/payments", "/ns/shop/pay"],
  ["a team above itself", "R4", "parent: shop", "parent: cart"],
  ["a parent that is none", "R4", "parent: shop", "parent: shops"],
  [
    "a team that owns a trust domain",
    "R3",
    "spiffe://example.org/ns/payments",
    "spiffe://example.org",
  ],
  [
    "a prefix of another trust domain",
    "R3",
    "spiffe://example.org/ns/payments",
    "spiffe://other.org/a",
  ],
  ["workloads that are nobody's", "R3", "/ns/payments", "/ns/pay"],
  ["guarded data that nobody approves", "R5", "pci:", "pii:"],
];

for (const [what, rule, find, put] of ORG_FAULTS) {
  test(`${rule}: ${what}`, () => {
    const files = smallOrg();
    files.set("org.yaml", (files.get("org.yaml") ?? "").replace(find, put));
    assert.ok(
      check(files).some((finding) => finding.rule === rule),
      JSON.stringify(check(files)),
    );
  });
}

test("a finding names the line where the policy begins", () => {
  const files = smallOrg();
  files.set("teams/shop/policies/x.cedar", `// a\n\n@id("a;b")\n${PERMIT});\n`);
  const findings = check(files);
  assert.deepEqual(
    findings.map(({ file, line }) => [file, line]),
    [["teams/shop/policies/x.cedar", 3]],
  );
});

test("R8: CODEOWNERS has a line per team", () => {
  const { folder } = readFolder(smallOrg(), parsers);
  assert.equal(
    codeowners(folder.org),
    "* @sec\n/teams/cart/ @cart\n/teams/payments/ @pay\n/teams/shop/ @shop\n",
  );
});

test("a shadow policy is not among those that are enforced", () => {
  const files = smallOrg();
  files.set("teams/shop/shadow/x.cedar", `${PERMIT} in BF::Service::"catalogue");`);
  assert.deepEqual(check(files), []);
  const { folder } = readFolder(files, parsers);
  assert.ok(!policiesOf(folder).has("shop/x"));
  assert.ok(policiesOf(folder, { shadow: true }).has("shop/x"));
});

test("R6: a policy with an end holds until then and not after", () => {
  const files = smallOrg();
  const text = `@expires("2030-01-01") ${PERMIT} in BF::Service::"catalogue");`;
  files.set("teams/shop/policies/x.cedar", text);
  assert.deepEqual(check(files), []);
  const compiled = compilePolicies(policiesOf(readFolder(files, parsers).folder));
  const { model } = readFolder(files, parsers).folder;
  const workload = "spiffe://example.org/ns/shop/checkout";
  const answers = [Date.UTC(2030, 0, 1) - 1, Date.UTC(2030, 0, 1)].map((now) => {
    const facts = { now, tls: true };
    const resource = entityOf("Service", "catalogue");
    const request = buildRequest({ workload }, "net.connect", resource, facts);
    return decide(compiled, modelEntities(model), request).determining.includes("shop/x");
  });
  assert.deepEqual(answers, [true, false]);
});
