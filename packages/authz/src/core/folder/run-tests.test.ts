import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AccessPaths,
  actionOf,
  checkOwnership,
  type EntityUid,
  entityOf,
  graphOfFolder,
  pathText,
  reachablesOf,
  readFolder,
  runFolderTests,
} from "../../index.ts";
import { parsers } from "../../testing/parsers.ts";
import { Random } from "../../testing/random.ts";
import { smallOrg } from "../../testing/small-org.ts";
import { PATH_HOPS_MAX } from "../graph/paths.ts";
import { parseInvariant } from "./invariant.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");
const FILE = "tests/all.yaml";

/** Faults of the tests in a file, `pass` for those that passed. */
function run(yaml: string, ...more: readonly (readonly [string, string])[]): string[] {
  const files = new Map([...smallOrg(), [FILE, yaml], ...more]);
  const { folder, findings } = readFolder(files, parsers);
  assert.deepEqual([...findings, ...checkOwnership(folder)], []);
  return runFolderTests(folder, { now: NOW }).map(({ fault }) => fault ?? "pass");
}

test("decision tests pass and fail, over all requests and with the facts of one", () => {
  const refunds = "action: GET, what: payments/v1/refunds/7";
  assert.deepEqual(
    run(`tests:
  - { who: shop/checkout, action: http.POST, what: payments/v1/refunds/7, expect: allow }
  - { who: shop/bot, action: http.POST, what: payments/v1/refunds/7, expect: allow }
  - { who: "user:alice", ${refunds}, expect: conditional }
  - { who: "user:alice", ${refunds}, expect: allow, given: {} }
  - { who: "user:alice", ${refunds}, expect: allow, given: { tls: false } }
  - { who: "user:bob", ${refunds}, expect: deny }
`),
    ["pass", "deny by guardrails/agents-read", "pass", "pass", "deny", "there is no user bob"],
  );
});

test("a request of a test has the facts that it gives, and its time", () => {
  const permit = `@id("evening") @reason("y")
permit (principal in BF::Team::"cart", action == BF::Action::"http.GET", resource in BF::Service::"catalogue")
when { context.now > datetime("2026-12-01") && context has obo && context.obo has user &&
  context.obo.scopes.contains("read") && context.obo.depth == 1 &&
  context.obo has approvedAgo && context.obo.approvedAgo < duration("5m") &&
  context has sourceIp && context.sourceIp.isLoopback() && context has device };`;
  const given = `{ at: "2026-12-02T00:00:00Z", sourceIp: 127.0.0.1, device: laptop,
      onBehalfOf: { user: alice, chain: [spiffe://example.org/ns/shop/checkout], scopes: [read], approvedAgoSeconds: 30 } }`;
  const what = "who: cart/web, action: http.GET, what: catalogue/v1/items";
  assert.deepEqual(
    run(
      `tests:
  - { ${what}, expect: allow, given: ${given} }
  - { ${what}, expect: allow, given: ${given.replace("2026-12-02", "2026-11-02")} }
`,
      ["teams/shop/policies/evening.cedar", permit],
      [
        "people.yaml",
        "users: { alice: [support] }\ngroups: { support: [] }\ndevices: { laptop: {} }\n",
      ],
    ),
    ["pass", "deny"],
  );
});

test("invariants know calls, chains, who alone may, and sentences about nobody", () => {
  const more = [
    [
      "teams/shop/team.yaml",
      `services: { catalogue: { servedBy: ["spiffe://example.org/ns/shop/checkout"] } }`,
    ],
    [
      "teams/shop/policies/partner.yaml",
      `allow: [{ id: p, reason: y, from: spiffe://partner.example/caller, to: catalogue, approver: "@sec" }]`,
    ],
  ] as const;
  const outcomes = run(
    `invariants:
  - never: spiffe://partner.example/caller -> tag:pci
  - never: spiffe://partner.example/caller ->* tag:pci depth<=1
  - never: spiffe://partner.example/caller ->* tag:pci
  - never: spiffe://partner.example/* ->* data:pci depth<=2
  - only: shop/checkout, group:support -> tag:pci
  - only: shop/checkout -> tag:pci
  - never: "* ->* team:cart"
  - never: team:cart -> table:payments/entries
  - never: nobody -> payments
  - never: group:none -> payments
  - never: "* -> tag:none"
`,
    ...more,
  );
  assert.deepEqual(outcomes.slice(0, 2), ["pass", "pass"]);
  assert.match(
    outcomes[2] ?? "",
    /^spiffe:\/\/partner.example\/caller -> catalogue.* -> payments\/v1\/refunds\/\{id\} \(http.GET\)$/,
  );
  assert.match(outcomes[3] ?? "", / -> payments/);
  assert.deepEqual(outcomes.slice(4), [
    "pass",
    "user:alice -> payments/v1/refunds/{id} (http.GET, only if context.tls)",
    "pass",
    "pass",
    "no workload is called nobody",
    "nobody is group:none",
    "nothing is called tag:none",
  ]);
});

test("what is no invariant is refused, and a team's are about its own", () => {
  for (const text of ["", "a", "a ->", "-> b", "a -> b depth<=2", "a ->* b depth<=0", "a, -> b"]) {
    assert.equal(parseInvariant("never", text), undefined, text);
  }
  assert.equal(parseInvariant("never", "a ->* b depth<=17"), undefined);
  assert.equal(parseInvariant("only", "a ->* b"), undefined);
  assert.equal(parseInvariant("never", "a ->* b")?.hopsMax, PATH_HOPS_MAX);
  const file = "teams/shop/tests/x.yaml";
  for (const [to, isOwn] of [
    ["catalogue", true],
    ["team:shop", true],
    ["payments", false],
    ["table:payments/entries", false],
    ["tag:pci", false],
    ["data:pci", false],
  ] as const) {
    const files = new Map([...smallOrg(), [file, `invariants:\n  - never: "* -> ${to}"\n`]]);
    const found = checkOwnership(readFolder(files, parsers).folder);
    const wanted = isOwn ? [] : [`${file}:2 R1`];
    assert.deepEqual(
      found.map(({ file: at, line, rule }) => `${at}:${line} ${rule}`),
      wanted,
      to,
    );
  }
});

/** Shortest distances by trying every call from everybody, again and again. */
function distances(
  calls: ReadonlyMap<string, readonly number[]>,
  servers: readonly (readonly string[])[],
  from: string,
): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  let at = new Set([from]);
  for (let hops = 1; hops <= PATH_HOPS_MAX; hops++) {
    const next = new Set<string>();
    for (const caller of at) {
      for (const service of calls.get(caller) ?? []) {
        if (!found.has(service)) found.set(service, hops);
        for (const server of servers[service] ?? []) next.add(server);
      }
    }
    at = next;
  }
  return found;
}

test("shortest chains are those of a search by hand, on random meshes", () => {
  let chains = 0;
  for (let seed = 0; seed < 60; seed++) {
    const random = new Random(seed);
    const count = 3 + random.below(6);
    const ids = Array.from({ length: count }, (_, n) => `spiffe://example.org/ns/shop/w${n}`);
    const servers = ids.map(() => [random.pick(ids)]);
    const calls = new Map(
      ids.map((id) => [id, ids.flatMap((_, n) => (random.chance(25) ? [n] : []))]),
    );
    const files = new Map([
      ...smallOrg(),
      [
        "workloads.yaml",
        JSON.stringify({ workloads: Object.fromEntries(ids.map((id) => [id, {}])) }),
      ],
      [
        "teams/shop/team.yaml",
        JSON.stringify({
          services: Object.fromEntries(servers.map((servedBy, n) => [`s${n}`, { servedBy }])),
        }),
      ],
      [
        "teams/shop/policies/all.yaml",
        JSON.stringify({
          allow: [...calls].flatMap(([from, services], c) =>
            services.map((n) => ({ id: `p-${c}-${n}`, reason: "y", from, to: `s${n}` })),
          ),
        }),
      ],
    ]);
    files.delete("teams/shop/policies/all.cedar");
    files.delete("teams/payments/policies/refunds.yaml");
    const { folder, findings } = readFolder(files, parsers);
    assert.deepEqual(findings, []);
    const paths = new AccessPaths(graphOfFolder(folder), folder.model);
    for (const id of ids) {
      const wanted = distances(calls, servers, id);
      for (let n = 0; n < count; n++) {
        const isWanted = ({ key }: EntityUid): boolean => key === entityOf("Service", `s${n}`).key;
        const path = paths.shortest(entityOf("Workload", id), isWanted);
        assert.equal(path?.length, wanted.get(n), `seed ${seed}: ${id} to s${n}`);
        if (path !== undefined && path.length > 1) chains++;
      }
    }
  }
  assert.ok(chains > 100, `${chains}`);
});

test("a chain is printed in one line", () => {
  const { folder } = readFolder(smallOrg(), parsers);
  const graph = graphOfFolder(folder);
  const [principal, action] = [entityOf("User", "alice"), actionOf("db.select")];
  const [resource] = reachablesOf(folder.model).filter((one) => one.resource.type === "BF::Table");
  assert.ok(resource);
  const access = graph.can(principal, action, resource.resource);
  assert.equal(
    pathText([{ principal, action, resource: resource.resource, access }]),
    "user:alice -> table:payments/entries (db.select, only if context.tls)",
  );
});

test("what must never be called is not called by anybody unlisted either", () => {
  const permit: readonly [string, string] = [
    "teams/shop/policies/n.yaml",
    `allow: [{ id: n, reason: y, from: "spiffe://example.org/ns/nobody/*", to: catalogue, actions: [http.GET] }]`,
  ];
  assert.deepEqual(run('invariants: [{ only: "team:shop -> catalogue" }]', permit), [
    "spiffe://example.org/ns/nobody/* -> catalogue/? (http.GET)",
  ]);
});
