import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  formatDecisionRecord,
  graphOfFolder,
  parseDecisionRecord,
  readAccessLog,
  readFolder,
  suggestPermits,
  unusedPermits,
} from "../../index.ts";
import { parsers } from "../../testing/parsers.ts";
import { smallOrg } from "../../testing/small-org.ts";

const { folder } = readFolder(smallOrg(), parsers);
const graph = graphOfFolder(folder);
const shop = (name: string): string => `spiffe://example.org/ns/shop/${name}`;

/** A counted edge, with what is not said filled in. */
const edge = (line: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({
    caller: shop("checkout"),
    action: "http.GET",
    resource: "payments/v1/refunds/{id}",
    allowed: false,
    lastAt: 1000,
    ...line,
  });

test("equal edges are added up, times may be texts, old lines are left out", () => {
  const lines = [
    edge({ count: 2, lastAt: 2000 }),
    edge({ count: 3, lastAt: "1970-01-01T00:00:03Z" }),
    edge({ allowed: true, at: 2500, lastAt: undefined }),
    edge({ lastAt: 10 }),
    "",
  ];
  const log = readAccessLog(lines, { since: 1000 });
  assert.deepEqual(
    log.edges.map(({ allowed, count, lastAt }) => [allowed, count, lastAt]),
    [
      [false, 5, 3000],
      [true, 1, 2500],
    ],
  );
  assert.deepEqual([log.firstAt, log.lastAt], [2000, 3000]);
  assert.equal(readAccessLog([]).firstAt, undefined);
});

test("all that an enforcer counted is read from one line, and no caller's name spoils a log", () => {
  const long = `spiffe://example.org${"/a".repeat(70)}`;
  const edges = [edge({ count: 2 }), edge({ caller: "*", allowed: true }), edge({ caller: long })];
  const report = { edges: edges.map((one): unknown => JSON.parse(one)), allowed: 1, denied: 3 };
  const log = readAccessLog([JSON.stringify({ ...report, undeclared: 0, uncounted: 0 })]);
  assert.deepEqual(
    log.edges.map(({ caller, count }) => [caller?.id, count]),
    [
      [shop("checkout"), 2],
      [undefined, 1],
      [long, 1],
    ],
  );
  assert.deepEqual(readAccessLog(edges).edges, log.edges);
  assert.doesNotThrow(() => suggestPermits(folder, graph, log.edges));
});

test("undeclared paths are counted by what was asked for, in bounded room", () => {
  const one = (n: number): string => edge({ resource: "payments/?", asked: `GET /${n}` });
  const lines = Array.from({ length: 300 }, (_, n) => one(n));
  const log = readAccessLog([...lines, one(0), edge({ resource: "payments/?" })]);
  const paths = log.undeclared.get("payments");
  assert.equal(paths?.get("GET /0"), 2);
  assert.ok((paths?.size ?? 0) <= 102);
  assert.equal(
    [...(paths?.values() ?? [])].reduce((sum, count) => sum + count, 0),
    302,
  );
  assert.equal(readAccessLog([edge({ resource: "?" }), edge({ action: "OPTIONS" })]).unresolved, 2);
});

test("a decision record is a line too, one edge for each principal", () => {
  const page = new URL("../../../../../docs/authz/decision-record.md", import.meta.url);
  const block = /^```json denied\n([\s\S]*?)^```$/m.exec(readFileSync(page, "utf8"))?.[1] ?? "";
  const { edges } = readAccessLog([formatDecisionRecord(parseDecisionRecord(block))]);
  assert.deepEqual(
    edges.map(({ caller, action, resource, allowed }) => [
      caller?.id,
      action,
      resource.key,
      allowed,
    ]),
    [
      [shop("checkout"), "http.POST", 'BF::Route::"payments/v1/refunds/{id}"', true],
      ["alice", "http.POST", 'BF::Route::"payments/v1/refunds/{id}"', false],
    ],
  );
});

test("what is no line is refused with its number", () => {
  for (const line of [
    "{",
    "[]",
    "1",
    edge({ allowed: "yes" }),
    edge({ count: 0 }),
    edge({ count: 1.5 }),
    edge({ lastAt: "soon" }),
    edge({ lastAt: undefined }),
    edge({ caller: "checkout" }),
    edge({ caller: 7 }),
    " ".repeat(70_000) + "x",
  ]) {
    assert.throws(() => readAccessLog([edge({}), line]), {
      code: "ACCESS_LOG_MALFORMED",
      details: { line: "2" },
    });
  }
});

test("suggests the fewest permits, wider ones with who else they let in, and says where none helps", () => {
  const { edges } = readAccessLog([
    edge({ caller: shop("checkout"), action: "db.select", resource: "payments/entries" }),
    edge({ caller: shop("cart/web"), action: "db.select", resource: "payments/entries", count: 4 }),
    edge({ caller: shop("checkout") }),
    edge({ caller: shop("bot"), action: "http.POST" }),
    edge({ caller: shop("gone") }),
    edge({ caller: "user:alice" }),
    edge({ resource: "payments/?" }),
    edge({ resource: "payments/v9" }),
    edge({ caller: "*" }),
    edge({
      caller: shop("bot"),
      action: "http.POST",
      resource: "payments/v1/refunds/{id}",
      allowed: true,
    }),
  ]);
  const { suggestions, rest } = suggestPermits(folder, graph, edges);
  assert.deepEqual(suggestions, [
    {
      team: "payments",
      to: "table:payments/entries",
      actions: ["db.select"],
      from: [shop("cart/web"), shop("checkout")],
      count: 5,
      instead: [
        { from: "spiffe://example.org/ns/shop/*", alsoAllows: [shop("bot")] },
        {
          from: "spiffe://example.org/ns/*",
          alsoAllows: ["spiffe://example.org/ns/payments/api", shop("bot")],
        },
      ],
    },
  ]);
  // Checkout's GET is permitted by now, and so is neither.
  assert.deepEqual(
    rest.map(({ caller, why }) => [caller.split("/").at(-1), why]),
    [
      ["bot", "forbidden by guardrails/agents-read"],
      ["gone", "the caller is not in the model"],
      ["user:alice", "allowed only if context.tls"],
      ["checkout", "the path is not declared"],
      ["checkout", "the resource is not in the model"],
      ["*", "the counter had no room for its caller"],
    ],
  );
});

test("a suggested permit allows what was denied", () => {
  const log = readAccessLog([
    edge({
      caller: shop("cart/web"),
      action: "grpc.call",
      resource: "payments/pay.v1.Payments/Refund",
    }),
    edge({ caller: shop("cart/web"), action: "topic.consume", resource: "payments/refunded" }),
  ]);
  const { suggestions } = suggestPermits(folder, graph, log.edges);
  const allow = suggestions.flatMap(({ from, to, actions }, at) =>
    from.map((caller) => ({
      id: `s-${at}`,
      reason: "y",
      from: caller,
      to,
      actions,
      approver: "@sec",
    })),
  );
  const files = new Map([
    ...smallOrg(),
    ["teams/payments/policies/s.yaml", JSON.stringify({ allow })],
  ]);
  const after = graphOfFolder(readFolder(files, parsers).folder);
  assert.equal(suggestPermits(folder, after, log.edges).suggestions.length, 0);
  assert.equal(suggestPermits(folder, after, log.edges).rest.length, 0);
});

test("unused are permits and named actions that no allowed call needed", () => {
  const files = new Map([
    ...smallOrg(),
    [
      "teams/payments/policies/more.yaml",
      `allow:
  - { id: two, reason: y, from: team:cart, to: table:payments/entries, actions: [db.select, db.write], approver: "@sec" }
`,
    ],
  ]);
  const { folder: more } = readFolder(files, parsers);
  const seen = [
    edge({
      caller: shop("cart/web"),
      action: "db.select",
      resource: "payments/entries",
      allowed: true,
    }),
    edge({ caller: shop("cart/web"), action: "db.write", resource: "payments/entries" }),
    edge({ caller: "user:alice", allowed: true }),
  ];
  const unused = unusedPermits(more, graphOfFolder(more), readAccessLog(seen).edges);
  assert.deepEqual(
    unused.map(({ policyId, actions, isUnused }) => [policyId, actions, isUnused]),
    [
      ["payments/two", ["db.write"], false],
      ["payments/checkout-refunds", [], true],
      ["shop/own-team", [], true],
    ],
  );
});
