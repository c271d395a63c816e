import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compareFolders,
  type Folder,
  graphOfFolder,
  isMoreAccess,
  reach,
  reachablesOf,
  readFolder,
  renderDiff,
  renderPullRequest,
  shadowDiff,
} from "../../index.ts";
import { parsers } from "../../testing/parsers.ts";
import { smallOrg } from "../../testing/small-org.ts";

const SERVED: readonly [string, string] = [
  "teams/shop/team.yaml",
  `services: { catalogue: { servedBy: ["spiffe://example.org/ns/shop/checkout"] } }`,
];
const PARTNER: readonly [string, string] = [
  "teams/shop/policies/partner.yaml",
  `allow:
  - { id: p, reason: y, from: spiffe://partner.example/caller, to: catalogue, actions: [http.GET], approver: "@sec" }`,
];

function folderWith(...files: readonly (readonly [path: string, text: string])[]): Folder {
  const { folder, findings } = readFolder(new Map([...smallOrg(), ...files]), parsers);
  assert.deepEqual(findings, []);
  return folder;
}

const routes = (methods: string): readonly [string, string] => [
  "teams/shop/routes/c.yaml",
  `service: catalogue\nroutes: [{ path: "/v1/items", methods: [${methods}] }]\n`,
];

test("equal folders have no difference, and without a folder before all access is gained", () => {
  const folder = folderWith();
  assert.equal(renderDiff(compareFolders(folder, folderWith())), "No access gained or lost.");
  assert.match(renderPullRequest(compareFolders(folder, folderWith())), /No access gained or lost/);
  const { changes } = compareFolders(undefined, folder);
  assert.ok(changes.every(({ kind }) => kind === "gained"));
  const listed = changes.flatMap(({ principals }) =>
    principals.filter(({ id }) => !id.endsWith("/*")),
  );
  const graph = graphOfFolder(folder);
  const all = graph.parts.principals.flatMap((principal) =>
    reach(graph, principal, reachablesOf(folder.model)),
  );
  assert.equal(listed.length, all.length);
});

test("a permit that opens a chain to data shows the chain, and the way back shows it gone", () => {
  const [before, after] = [folderWith(SERVED), folderWith(SERVED, PARTNER)];
  const text = renderDiff(compareFolders(before, after));
  assert.match(text, /^\+ spiffe:\/\/partner.example\/caller may http.GET catalogue\/\?$/m);
  assert.match(
    text,
    /^\+ new chain: spiffe:\/\/partner.example\/caller -> catalogue\/\? \(http.GET\) -> payments\S+ \(http.GET\) \(data: pci\)$/m,
  );
  assert.match(renderDiff(compareFolders(after, before)), /^- chain gone: .*\(data: pci\)$/m);
  assert.match(renderPullRequest(compareFolders(before, after)), /### New chains of calls to data/);
});

test("who takes from a topic makes nobody call, who publishes to it may", () => {
  const topic: readonly [string, string] = [
    "teams/shop/routes/topics.yaml",
    "service: catalogue\ntopics: [{ name: changed }]",
  ];
  for (const [action, chains] of [
    ["topic.consume", 0],
    ["topic.publish", 1],
  ] as const) {
    const permit = `allow: [{ id: t, reason: y, from: spiffe://partner.example/caller, to: "topic:catalogue/changed", actions: [${action}], approver: "@sec" }]`;
    const diff = compareFolders(
      folderWith(SERVED, topic),
      folderWith(SERVED, topic, ["teams/shop/policies/t.yaml", permit]),
    );
    assert.equal(diff.newPaths.length, chains, action);
  }
});

test("who serves a service alone opens a chain, without any change of access", () => {
  const { changes, newPaths } = compareFolders(folderWith(PARTNER), folderWith(PARTNER, SERVED));
  assert.deepEqual(changes, []);
  // The partner's, that of the shop's own bot, and of whoever the shop does not list.
  assert.deepEqual(
    newPaths.map(({ hops }) => hops[0]?.principal.id),
    [
      "spiffe://example.org/ns/shop/bot",
      "spiffe://partner.example/caller",
      "spiffe://example.org/ns/shop/*",
    ],
  );
});

test("a method that a route gains is a gain where it was undeclared before", () => {
  const permit: readonly [string, string] = [
    "teams/shop/policies/items.yaml",
    `allow: [{ id: i, reason: y, from: team:cart, to: catalogue/v1/items }]`,
  ];
  const before = folderWith(routes("GET"), permit);
  const after = folderWith(routes("GET, PUT"), permit);
  // Before and after, a permit for the route allows every action on it; the entity is the same.
  assert.deepEqual(compareFolders(before, after).changes, []);
  assert.match(
    renderDiff(compareFolders(folderWith(routes("GET")), after)),
    /cart\/web may http.GET, http.PUT catalogue\/v1\/items/,
  );
});

test("shadow policies show what they would change", () => {
  const folder = folderWith([
    "teams/shop/shadow/none.cedar",
    `@id("none") @reason("y") forbid (principal, action, resource in BF::Service::"catalogue");`,
  ]);
  const { changes } = shadowDiff(folder);
  assert.ok(changes.length > 0 && changes.every(({ kind }) => kind === "lost"));
});

test("nothing that a folder holds can leave its code span in a pull request", () => {
  const text = "x`@all` **b** </details> # h";
  const after = folderWith([
    "teams/shop/policies/x.cedar",
    `@id("x") @reason("y") permit (principal in BF::Team::"cart", action, resource in BF::Service::"catalogue")
when { context has obo && context.obo.scopes.contains("${text}") };`,
  ]);
  const markdown = renderPullRequest(compareFolders(folderWith(), after));
  assert.ok(markdown.includes("@all"));
  const outside = markdown.replaceAll(/(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, "");
  assert.ok(!/@all|\*\*|<|# h/.test(outside), outside);
});

const permits = (from: string): string => {
  const file = `allow: [{ id: n, reason: y, from: "${from}", to: catalogue, actions: [http.GET] }]`;
  return renderDiff(compareFolders(folderWith(), folderWith(["teams/shop/policies/n.yaml", file])));
};
const gains = (who: string): string => `+ ${who} may http.GET catalogue/?`;

test("callers that nobody lists gain access too, by prefix and by single ID", () => {
  for (const from of ["spiffe://example.org/ns/nobody/*", "spiffe://example.org/ns/nobody/one"]) {
    assert.equal(permits(from), gains(from));
  }
  // The one of the prefix who is listed had it before; the others are news.
  const one: readonly [string, string] = [
    "teams/shop/policies/one.yaml",
    `allow: [{ id: o2, reason: y, from: "spiffe://example.org/ns/shop/cart/web", to: catalogue, actions: [http.GET] }]`,
  ];
  const many: readonly [string, string] = [
    "teams/shop/policies/n.yaml",
    one[1].replace("/web", "/*").replace("o2", "o3"),
  ];
  assert.equal(
    renderDiff(compareFolders(folderWith(one), folderWith(one, many))),
    gains("spiffe://example.org/ns/shop/cart/*"),
  );
});

test("an unlisted caller is not named beside the listed ones of its prefix that change alike", () => {
  const text = renderDiff(
    compareFolders(
      folderWith(),
      folderWith([
        "teams/payments/policies/n.yaml",
        `allow: [{ id: n, reason: y, from: "spiffe://example.org/ns/shop/cart/*", to: payments, actions: [http.GET], approver: "@sec" }]`,
      ]),
    ),
  );
  assert.match(text, /cart\/web may/);
  assert.ok(!text.includes("/*"), text);
});

test("a forbid that asks for the kind of an unlisted caller denies, as it does when enforced", () => {
  const text = renderDiff(
    compareFolders(
      folderWith(),
      folderWith([
        "teams/shop/policies/n.yaml",
        `allow: [{ id: n, reason: y, from: "spiffe://example.org/ns/nobody/*", to: catalogue, actions: [http.POST] }]`,
      ]),
    ),
  );
  assert.equal(text, "No access gained or lost.");
});

const shop = (route: string): Folder =>
  folderWith(["teams/shop/routes/c.yaml", `service: catalogue\nroutes: [${route}]\n`]);

test("a subject that is no longer required is a change, and more access", () => {
  const items = `{ path: "/v1/items", methods: [POST, PUT]`;
  const required = shop(`${items}, subject: required }`);
  const loosened = compareFolders(required, shop(`${items} }`));
  assert.equal(renderDiff(loosened), "~ catalogue/v1/items: subject required -> optional");
  assert.match(
    renderPullRequest(loosened),
    /- `catalogue\/v1\/items`: subject `required` -> `optional`; more calls are admitted/,
  );
  assert.equal(isMoreAccess(loosened), true);
  assert.equal(isMoreAccess(compareFolders(shop(`${items} }`), required)), false);
  assert.equal(isMoreAccess(compareFolders(required, shop(`${items}, subject: none }`))), true);
});

const single = (path: string): readonly [string, string] => [
  "teams/shop/routes/c.yaml",
  `service: catalogue\nroutes: [{ path: "${path}", methods: [GET], subject: required }]\n`,
];

test("a required subject ends with the route where a permit for the service takes its calls", () => {
  const gone = compareFolders(folderWith(single("/v1/items")), folderWith());
  assert.deepEqual(gone.subjects, [
    { route: "catalogue/v1/items", before: "required", after: "optional", isLoosened: true },
  ]);
  const nobody: readonly [string, string] = [
    "teams/shop/policies/all.cedar",
    `@id("x") @reason("y") permit (principal, action, resource == BF::Table::"catalogue/t");`,
  ];
  const table: readonly [string, string] = [
    "teams/shop/routes/t.yaml",
    "service: catalogue\ntables: [{ name: t }]\n",
  ];
  const [before, after] = [
    folderWith(single("/v1/items"), nobody, table),
    folderWith(nobody, table),
  ];
  assert.deepEqual(compareFolders(before, after).subjects, []);
});

test("a name with a line end is refused, and would write no line of its own", () => {
  const folder = folderWith();
  const name = "eve\n\n# Approved\u2028by";
  const users = [...folder.model.users, { name, groups: ["support"] }];
  const groups = new Map([...folder.model.groups, ["support", ["staff"]] as const]);
  const diff = compareFolders(folder, { ...folder, model: { ...folder.model, users, groups } });
  for (const text of [renderDiff(diff), renderPullRequest(diff)]) {
    assert.ok(text.includes("user:eve\\u{a}\\u{a}# Approved\\u{2028}by"), text);
    assert.ok(!/^# Approved|\u2028/mu.test(text), text);
  }
  const people = `users: { "eve\\nby": [] }\ngroups: { support: [staff] }\n`;
  const files = new Map([...smallOrg(), ["people.yaml", people] as const]);
  assert.deepEqual(
    readFolder(files, parsers).findings.map(({ file, rule }) => [file, rule]),
    [["people.yaml", "model"]],
  );
});

test("a permit for an empty group, or about nothing that is there, is shown before anybody has it", () => {
  const group: readonly [string, string] = [
    "teams/shop/policies/g.yaml",
    "allow: [{ id: g, reason: y, from: group:nobody, to: catalogue }]",
  ];
  const tag: readonly [string, string] = [
    "teams/shop/policies/t.cedar",
    `@id("t") @reason("y") permit (principal in BF::Team::"shop", action, resource in BF::Service::"catalogue")
when { resource in BF::Tag::"later" };`,
  ];
  const diff = compareFolders(folderWith(), folderWith(group, tag));
  assert.deepEqual(diff.changes, []);
  assert.deepEqual(
    diff.latent.map(({ policyId, line }) => [policyId, line]),
    [
      ["shop/g", 1],
      ["shop/t", 1],
    ],
  );
  assert.ok(isMoreAccess(diff));
  assert.match(renderDiff(diff), /\+ shop\/g permits, and gives nobody anything yet/);
  assert.match(renderPullRequest(diff), /### Given to nobody yet/);
  assert.deepEqual(compareFolders(folderWith(group), folderWith(group)).latent, []);
  // What stands behind a permit without conditions gives something.
  const behind: readonly [string, string] = [
    "teams/shop/policies/b.cedar",
    `@id("b") @reason("y") permit (principal in BF::Team::"shop", action, resource in BF::Service::"catalogue")
when { context.tls };`,
  ];
  assert.deepEqual(compareFolders(folderWith(), folderWith(behind)).latent, []);
});

test("a class of data that is taken away is shown, and access is still said to reach it", () => {
  const [path, text] = [
    "teams/payments/team.yaml",
    smallOrg().get("teams/payments/team.yaml") ?? "",
  ];
  const permit: readonly [string, string] = [
    "teams/payments/policies/z.yaml",
    "allow: [{ id: z, reason: y, from: team:cart, to: payments }]",
  ];
  assert.match(text, /pci/);
  const diff = compareFolders(folderWith(), folderWith([path, text.replace("pci", "")], permit));
  assert.deepEqual(diff.declassified, [{ service: "payments", data: ["pci"] }]);
  assert.ok(diff.changes.length > 0 && diff.changes.every(({ data }) => data.includes("pci")));
  assert.ok(isMoreAccess({ ...diff, changes: [], newPaths: [] }));
  assert.match(renderDiff(diff), /~ payments no longer has data: pci/);
  assert.match(renderPullRequest(diff), /### Classes of data taken away/);
});
