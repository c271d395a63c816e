import assert from "node:assert/strict";
import { test } from "node:test";
import { type ActionName, entityOf } from "@bonafide/authz";
import * as fc from "fast-check";
import { paymentsBundle, paymentsOrg } from "../testing/payments-org.ts";
import { type Asked, Judge, type Question } from "./judge.ts";
import type { Grant, VerifiedUser } from "./verified-user.ts";

const NOW = 1_795_000_000_000;
const SHOP = "spiffe://example.org/ns/shop";
const [CHECKOUT, ADMIN, BOT] = [`${SHOP}/checkout`, `${SHOP}/admin`, `${SHOP}/bot`];
const bundle = await paymentsBundle({ now: NOW });
const judge = new Judge(bundle, "payments");
const alice: VerifiedUser = { user: "alice", actors: [], scopes: [], expiresAt: NOW + 1 };

function reasonOf(
  caller: string,
  action: ActionName | undefined,
  asked: string | Asked,
  more: Partial<Question> = {},
): string {
  const what = typeof asked === "string" ? { path: asked } : asked;
  const { allowed, reason } = judge.judge({ caller, action, asked: what, now: NOW, ...more });
  assert.equal(allowed, reason === "permitted");
  return reason;
}

test("a declared route is for those whom its owner permits", () => {
  assert.equal(reasonOf(CHECKOUT, "http.POST", "/v1/refunds/7"), "permitted");
  assert.equal(
    reasonOf("spiffe://example.org/ns/web/x", "http.POST", "/v1/refunds/7"),
    "no_permit",
  );
  assert.equal(
    reasonOf("spiffe://other.org/ns/shop/checkout", "http.GET", "/v1/refunds/7"),
    "no_permit",
  );
  assert.equal(reasonOf(`${SHOP}ish/x`, "http.GET", "/v1/refunds/7"), "no_permit");
});

test("a permit for anybody is none for a trust domain that the model does not know", async () => {
  const stranger = "spiffe://other.org/ns/shop/checkout";
  const permit = `@id("anybody") @reason("y") @approver("@sec")
permit (principal, action, resource in BF::Service::"payments");`;
  const files = paymentsOrg().set("teams/payments/policies/anybody.cedar", permit);
  const org = files.get("org.yaml") ?? "";
  for (const [text, reason] of [
    [org, "no_permit"],
    [`${org}federated: [other.org]\napprovers: { federated: "@sec" }\n`, "permitted"],
  ] as const) {
    const open = new Judge(
      await paymentsBundle({ now: NOW, files: new Map([...files, ["org.yaml", text]]) }),
      "payments",
    );
    const asked = { path: "/v1/refunds/7" };
    const judged = open.judge({ caller: stranger, action: "http.GET", asked, now: NOW });
    assert.equal(judged.reason, reason);
  }
});

test("an undeclared path or method is for those only who may do everything with the service", () => {
  for (const [action, path] of [
    ["http.GET", "/v2/new"],
    ["http.GET", "/"],
    ["http.DELETE", "/v1/refunds/7"],
    ["http.HEAD", "/v2/new"],
    ["http.GET", "/v1/refunds/7/notes"],
  ] as const) {
    assert.equal(reasonOf(CHECKOUT, action, path), "no_permit", path);
    assert.equal(reasonOf(ADMIN, action, path), "permitted", path);
    const { resource, isDeclared } = judge.judge({
      caller: ADMIN,
      action,
      asked: { path },
      now: NOW,
    });
    assert.deepEqual([resource?.id, isDeclared], ["payments/?", false]);
  }
});

test("no spelling of a path passes a rule about the declared one", () => {
  assert.equal(reasonOf(ADMIN, "http.GET", "/v1/Keys"), "forbidden");
  for (const path of [
    "/v1/keys",
    "/V1/KEYS",
    "/v1/Keys.",
    "/v1/Keys..",
    "/v1./Keys",
    "/v1/Keys%20",
    "/v1/%4beys.",
    "/v1/Keys/",
    "//v1/Keys",
    "/v1//Keys",
    "/v1/./Keys",
    "/v1/x/../Keys",
    "/v1%2fKeys",
    "/v1%2FKeys",
    "/v1%5cKeys",
    "/v1\\Keys",
    "/v1/%2e/Keys",
    "/v1/%252e%252e/Keys",
    "/v1/Keys;a=b",
    "/v1/Keys%00",
    "/v1/Keys#x",
    "/v1/Keys%3fx",
    "/v1/%ff",
    "/v1/%",
    "http://example.org/v1/Keys",
    "v1/Keys",
    "*",
    "example.org:443",
    "",
    `/${"a".repeat(8192)}`,
  ]) {
    assert.equal(reasonOf(ADMIN, "http.GET", path), "path_ambiguous", path);
  }
  // What is no other declared path is a value of the parameter beside it.
  for (const path of ["/v1/Other", "/v1/Keys2", "/v1/..."]) {
    assert.equal(reasonOf(ADMIN, "http.GET", path), "permitted", path);
  }
  // Some routers decode before they look for a route, some never: a literal has one spelling.
  for (const path of ["/v1/%4beys", "/v1/%4Beys", "/v%31/Keys", "/%76%31/refunds/7"]) {
    assert.equal(reasonOf(ADMIN, "http.GET", path), "path_ambiguous", path);
  }
  for (const path of ["/v1/k\u00e9ys", "/v1/\u212aeys", "/v1/%E2%84%AAeys", "/v1/%EF%BC%ABeys"]) {
    assert.equal(reasonOf(ADMIN, "http.GET", path), "path_ambiguous", path);
  }
  assert.equal(reasonOf(ADMIN, "http.GET", "/v1/a%40b%20c"), "permitted");
});

test("a literal route of another method hides no rule about the parameter beside it", () => {
  assert.equal(reasonOf(ADMIN, "http.GET", "/v1/me/cards"), "permitted");
  assert.equal(reasonOf(ADMIN, "http.POST", "/v1/me/cards"), "forbidden");
  const routed = (template: string): string =>
    reasonOf(ADMIN, "http.POST", { path: "/v1/me/cards", routed: [template] });
  assert.equal(routed("v1/{user}/cards"), "forbidden");
  assert.equal(routed("v1/me/cards"), "route_disagreement");
});

test("whatever a path is, it is never permitted past a forbid that a laxer reader would see", () => {
  const piece = fc.constantFrom(
    "v1",
    "V1",
    "Keys",
    "keys",
    "/",
    "//",
    ".",
    "%2f",
    "%4b",
    "%20",
    "k",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = `/${pieces.join("")}`;
      if (reasonOf(ADMIN, "http.GET", path) === "permitted") assert.notEqual(lax(path), "v1/keys");
    }),
    { numRuns: 2000 },
  );
});

test("what a framework's router found has to be what the bundle declares", () => {
  const routed = (path: string, template: string): string =>
    reasonOf(ADMIN, "http.GET", { path, routed: [template] });
  assert.equal(routed("/v1/refunds/7", "v1/refunds/{number}"), "permitted");
  assert.equal(routed("/v1/refunds/7", "v1/{kind}/{number}"), "route_disagreement");
  assert.equal(routed("/v1/refunds/7", "v1/refunds/7"), "route_disagreement");
  assert.equal(routed("/v9/x", "v1/refunds/{id}"), "route_disagreement");
  assert.equal(routed("/v9/x", "v9/{x}"), "permitted");
  assert.equal(routed("/v1/refunds/7", "*"), "permitted");
  assert.equal(routed("/v1/refunds/7", "v1/*"), "permitted");
  assert.equal(routed("/v1/refunds/7", "v2/*"), "route_disagreement");
  assert.equal(
    reasonOf(ADMIN, "http.HEAD", { path: "/v1/kinds", routed: ["v1/kinds"] }),
    "permitted",
  );
});

test("a HEAD of a declared GET is refused until it is declared, and then rules about the route hold", () => {
  assert.equal(reasonOf(ADMIN, "http.HEAD", "/v1/refunds/7"), "path_ambiguous");
  assert.equal(reasonOf(ADMIN, "http.HEAD", "/v1/Keys"), "path_ambiguous");
  assert.equal(reasonOf(ADMIN, "http.HEAD", "/v1/internal", { user: alice }), "path_ambiguous");
  assert.equal(reasonOf(CHECKOUT, "http.HEAD", "/v1/kinds"), "permitted");
  assert.equal(reasonOf(BOT, "http.HEAD", "/v1/kinds"), "forbidden");
});

test("methods that are no actions are denied, also to those who may do everything", () => {
  assert.equal(reasonOf(ADMIN, undefined, "/v1/refunds/7"), "method_unknown");
});

test("tables are asked for by name, and one that is not declared is for nobody", () => {
  assert.equal(reasonOf(CHECKOUT, "db.select", table("entries")), "permitted");
  assert.equal(reasonOf(CHECKOUT, "db.write", table("entries")), "no_permit");
  assert.equal(reasonOf(ADMIN, "db.select", table("other")), "no_permit");
});

test("a caller whom the bundle does not list has no kind, so that a forbid about it denies", () => {
  assert.equal(reasonOf(CHECKOUT, "http.GET", "/v1/kinds"), "permitted");
  assert.equal(reasonOf(BOT, "http.GET", "/v1/kinds"), "forbidden");
  assert.equal(reasonOf(`${SHOP}/new`, "http.GET", "/v1/kinds"), "policy_erred");
  assert.equal(reasonOf(`${SHOP}/new`, "http.GET", "/v1/refunds/7"), "permitted");
});

test("what no request can name is permitted by nothing, and nothing is thrown", () => {
  const long = `${SHOP}${"/a".repeat(70)}`;
  assert.equal(reasonOf(long, "http.GET", "/v1/refunds/7"), "no_permit");
  const ask = (caller: string, user: Partial<VerifiedUser>): string =>
    reasonOf(caller, "http.POST", "/v1/payouts", { user: { ...alice, ...user } });
  assert.equal(ask(CHECKOUT, { actors: [long, CHECKOUT] }), "token_invalid");
  assert.equal(ask(CHECKOUT, { approvedAt: Number.NaN }), "token_invalid");
  assert.equal(ask(long, {}), "token_invalid");
});

test("from its expiry on a bundle permits nothing", () => {
  const { expires } = bundle.manifest;
  assert.equal(reasonOf(ADMIN, "http.GET", "/v1/refunds/7", { now: expires - 1 }), "permitted");
  assert.equal(reasonOf(ADMIN, "http.GET", "/v1/refunds/7", { now: expires }), "bundle_expired");
});

test("on behalf of a user both have to be permitted", () => {
  assert.equal(payout(CHECKOUT, "alice"), "permitted");
  assert.equal(payout(CHECKOUT, "bob"), "no_permit");
  assert.equal(payout("spiffe://example.org/ns/web/x", "alice"), "no_permit");
});

test("a route says whether it wants a user", () => {
  assert.equal(reasonOf(CHECKOUT, "http.POST", "/v1/payouts"), "subject_required");
  assert.equal(reasonOf(CHECKOUT, "http.GET", "/v1/internal"), "permitted");
  assert.equal(reasonOf(CHECKOUT, "http.GET", "/v1/internal", { user: alice }), "subject_refused");
});

test("a token that is not proven, has ended, is too long or is somebody else's denies", () => {
  const ask = (user: VerifiedUser | "invalid"): string =>
    reasonOf(CHECKOUT, "http.POST", "/v1/payouts", { user });
  assert.equal(ask({ ...alice, actors: [ADMIN, CHECKOUT] }), "permitted");
  assert.equal(ask("invalid"), "token_invalid");
  assert.equal(ask({ ...alice, expiresAt: NOW }), "token_invalid");
  assert.equal(ask({ ...alice, expiresAt: Number.NaN }), "token_invalid");
  assert.equal(ask({ ...alice, user: "" }), "token_invalid");
  assert.equal(ask({ ...alice, actors: ["nobody", CHECKOUT] }), "token_invalid");
  assert.equal(
    ask({ ...alice, actors: Array.from({ length: 33 }, () => CHECKOUT) }),
    "token_invalid",
  );
  assert.equal(ask({ ...alice, scopes: Array.from({ length: 33 }, String) }), "token_invalid");
  assert.equal(ask({ ...alice, actors: [CHECKOUT, ADMIN] }), "actor_mismatch");
});

const grant: Grant = {
  agent: BOT,
  actions: ["http.POST"],
  resources: ["payments/v1/payouts"],
  depthMax: 2,
  expiresAt: NOW + 1,
};

test("an agent acts for a person by their grant only, and no further", () => {
  const ask = (user: Partial<VerifiedUser>): string =>
    reasonOf(BOT, "http.POST", "/v1/payouts", { user: { ...alice, ...user } });
  assert.equal(ask({}), "grant_missing");
  assert.equal(ask({ grants: [{ ...grant, agent: ADMIN }] }), "grant_missing");
  assert.equal(ask({ grants: [grant] }), "permitted");
  assert.equal(ask({ grants: [{ ...grant, resources: ["payments"] }] }), "permitted");
  assert.equal(ask({ grants: [{ ...grant, actions: ["http.GET"] }] }), "grant_exceeded");
  assert.equal(ask({ grants: [{ ...grant, resources: [] }] }), "grant_exceeded");
  assert.equal(ask({ grants: [{ ...grant, expiresAt: NOW }] }), "grant_exceeded");
  assert.equal(ask({ grants: [grant], actors: [ADMIN, CHECKOUT, BOT] }), "grant_exceeded");
  assert.equal(ask({ grants: [grant], user: "bob" }), "no_permit");
});

test("an agent anywhere in the chain needs a grant, and one that is not listed might be an agent", () => {
  const ask = (actors: readonly string[], grants: readonly Grant[]): string =>
    reasonOf(CHECKOUT, "http.POST", "/v1/payouts", { user: { ...alice, actors, grants } });
  assert.equal(ask([BOT, CHECKOUT], []), "grant_missing");
  assert.equal(ask([BOT, CHECKOUT], [grant]), "permitted");
  assert.equal(ask([`${SHOP}/unlisted`, CHECKOUT], []), "grant_missing");
});

test("grants never permit what would be denied without them", () => {
  const workload = fc.constantFrom(CHECKOUT, ADMIN, BOT, `${SHOP}/unlisted`);
  const grants = fc.array(
    fc.record({
      agent: workload,
      actions: fc.subarray(["http.GET", "http.POST", "grpc.call"]),
      resources: fc.subarray(["payments", "payments/v1/payouts", "payments/v1/Keys"]),
      depthMax: fc.nat(4),
      expiresAt: fc.constantFrom(NOW - 1, NOW + 1),
    }),
  );
  const asked = fc.record({
    caller: workload,
    action: fc.constantFrom("http.GET" as const, "http.POST" as const),
    path: fc.constantFrom("/v1/payouts", "/v1/refunds/7", "/v1/Keys", "/v1/kinds", "/v1/internal"),
    user: fc.constantFrom("alice", "bob", "nobody"),
  });
  fc.assert(
    fc.property(asked, grants, ({ caller, action, path, user }, given) => {
      const granted = { ...alice, user, grants: given };
      if (reasonOf(caller, action, path, { user: granted }) !== "permitted") return;
      // The policies alone, by the same principals, have to permit it too.
      const { edges } = judge.judge({ caller, action, asked: { path }, now: NOW, user: granted });
      assert.equal(edges.length, 2);
      assert.ok(edges.every(({ allowed }) => allowed));
      const isUnbound = reasonOf(caller, action, path, { user: { ...alice, user } });
      assert.ok(isUnbound === "permitted" || isUnbound === "grant_missing", isUnbound);
    }),
    { numRuns: 1000 },
  );
});

test("shadow policies are told and not acted on", async () => {
  const files = paymentsOrg().set(
    "teams/payments/shadow/next.cedar",
    `@id("no-checkout")
@reason("To be tried")
forbid (principal == BF::Workload::"${CHECKOUT}", action, resource == BF::Route::"payments/v1/refunds/{id}");
@id("web-too")
@reason("To be tried")
permit (principal in BF::IdPath::"spiffe://example.org/ns/web", action, resource in BF::Service::"payments");
`,
  );
  const shadowed = new Judge(await paymentsBundle({ files, now: NOW }), "payments");
  const ask = (caller: string, path: string): readonly unknown[] => {
    const { allowed, shadow } = shadowed.judge({
      caller,
      action: "http.GET",
      asked: { path },
      now: NOW,
    });
    return [allowed, shadow?.reason, shadow?.policies];
  };
  assert.deepEqual(ask(CHECKOUT, "/v1/refunds/7"), [true, "forbidden", ["payments/no-checkout"]]);
  assert.deepEqual(ask(ADMIN, "/v1/refunds/7"), [true, undefined, undefined]);
  const web = "spiffe://example.org/ns/web/x";
  assert.deepEqual(ask(web, "/v1/refunds/7"), [false, "permitted", ["payments/web-too"]]);
  assert.deepEqual(ask(web, "/v1/Keys"), [false, undefined, undefined]);
});

/** A path as a careless reader would take it. */
function lax(path: string): string {
  return decodeURIComponent(path.replaceAll(/%(?![0-9a-f]{2})/gi, "%25"))
    .toLowerCase()
    .replaceAll("\\", "/")
    .split("/")
    .map((segment) => segment.replace(/[. ]+$/, ""))
    .filter((segment) => segment !== "")
    .join("/");
}

function table(name: string): Asked {
  return { resource: entityOf("Table", `payments/${name}`) };
}

function payout(caller: string, user: string): string {
  return reasonOf(caller, "http.POST", "/v1/payouts", { user: { ...alice, user } });
}
