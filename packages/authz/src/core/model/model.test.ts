import assert from "node:assert/strict";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import {
  type ActionName,
  buildRequest,
  modelEntities,
  readFolder,
  type RouteDeclaration,
  routesOfOpenApi,
  routesOfProto,
  RouteTable,
} from "../../index.ts";
import { parsers } from "../../testing/parsers.ts";
import { smallOrg } from "../../testing/small-org.ts";
import { entityOf } from "./entity-names.ts";
import { BASE_SCHEMA } from "./schema.ts";
import { readSpiffePath } from "./spiffe-paths.ts";

const route = (path: string, ...actions: ActionName[]): RouteDeclaration => ({
  path,
  actions,
  tags: [],
  subject: "optional",
});

function refuses(call: () => unknown, code: string): void {
  assert.throws(call, (error) => isBonafideError(error, code));
}

test("Cedar takes the base schema", () => {
  assert.deepEqual(cedar.checkParseSchema(BASE_SCHEMA), { type: "success" });
});

test("prefixes of a SPIFFE ID end at segments, and what is no SPIFFE ID has none", () => {
  assert.deepEqual(readSpiffePath("spiffe://example.org/ns/shop"), {
    id: "spiffe://example.org/ns/shop",
    trustDomain: "example.org",
    prefixes: ["spiffe://example.org/ns/shop", "spiffe://example.org/ns"],
  });
  for (const id of [
    "",
    "spiffe://",
    "spiffe://Example.org/a",
    "spiffe://example.org/",
    "spiffe://example.org//a",
    "spiffe://example.org/a/",
    "spiffe://example.org/../a",
    "spiffe://example.org/a/.",
    "spiffe://example.org/ä",
    "spiffe://example.org/a%2fb",
    "spiffe://example.org:443/a",
    "spiffe://example.org/a\n",
    "https://example.org/a",
    `spiffe://example.org/${"a".repeat(2048)}`,
    `spiffe://example.org${"/a".repeat(65)}`,
  ]) {
    refuses(() => readSpiffePath(id), "AUTHZ_REQUEST_INVALID");
  }
});

test("a workload lies in each prefix of its ID, in its trust domain and in its team", () => {
  const { model } = readFolder(smallOrg(), parsers).folder;
  const id = "spiffe://example.org/ns/shop/cart/web";
  const workload = modelEntities(model).find(entityOf("Workload", id).key);
  assert.deepEqual(
    [...(workload?.ancestors ?? [])].toSorted(),
    [
      entityOf("IdPath", id),
      entityOf("IdPath", "spiffe://example.org/ns/shop/cart"),
      entityOf("IdPath", "spiffe://example.org/ns/shop"),
      entityOf("IdPath", "spiffe://example.org/ns"),
      entityOf("TrustDomain", "example.org"),
      entityOf("Team", "cart"),
    ]
      .map(({ key }) => key)
      .toSorted(),
  );
});

test("a built request fits the schema", () => {
  const facts = {
    now: 1_700_000_000_000,
    tls: true,
    sourceIp: "10.0.0.1",
    device: "laptop",
    onBehalfOf: {
      user: "alice",
      chain: ["spiffe://example.org/a"],
      scopes: ["refund"],
      approvedAgoMs: 1000,
    },
  };
  const workload = "spiffe://example.org/ns/shop/checkout";
  const resource = entityOf("Route", "payments/v1");
  const { context, action } = buildRequest({ workload }, "http.GET", resource, facts);
  const json = {
    now: { __extn: { fn: "datetime", arg: "2023-11-14T22:13:20.000Z" } },
    tls: true,
    sourceIp: { __extn: { fn: "ip", arg: "10.0.0.1" } },
    device: { __entity: { type: "BF::Device", id: "laptop" } },
    obo: {
      user: { __entity: { type: "BF::User", id: "alice" } },
      chain: [{ __entity: { type: "BF::Workload", id: "spiffe://example.org/a" } }],
      depth: 1,
      scopes: ["refund"],
      approvedAgo: { __extn: { fn: "duration", arg: "1s" } },
    },
  };
  const call = { context: json, schema: BASE_SCHEMA, action: { type: action.type, id: action.id } };
  assert.deepEqual(cedar.checkParseContext(call), { type: "success" });
  assert.deepEqual([...context.attributes.keys()].toSorted(), Object.keys(json).toSorted());
  for (const fault of [{ now: 1.5 }, { sourceIp: "10.0.0.256" }]) {
    refuses(
      () => buildRequest({ workload }, "http.GET", resource, { ...facts, ...fault }),
      "AUTHZ_REQUEST_INVALID",
    );
  }
  refuses(
    () => buildRequest({ workload: "checkout" }, "http.GET", resource, facts),
    "AUTHZ_REQUEST_INVALID",
  );
});

test("a path finds its template, a literal before a parameter, and else the undeclared route", () => {
  const routes = [
    route("v1/refunds/{id}", "http.GET"),
    route("v1/refunds/all", "http.GET"),
    route("v1/me/cards", "http.GET"),
    route("v1/{user}/cards", "http.POST"),
    route("v1/{kind}/new", "http.POST"),
    route("pay.v1.Payments/Refund", "grpc.call"),
  ];
  const table = new RouteTable({ name: "payments", routes });
  for (const [action, path, id] of [
    ["http.GET", "/v1/refunds/7", "v1/refunds/{id}"],
    ["http.GET", "/v1/refunds/all", "v1/refunds/all"],
    ["http.GET", "/v1/refunds/a%20l", "v1/refunds/{id}"],
    ["http.POST", "/v1/refunds/7", "?"],
    ["http.POST", "/v1/orders/new", "v1/{kind}/new"],
    ["http.GET", "/v1/me/cards", "v1/me/cards"],
    ["http.POST", "/v1/me/cards", "v1/{user}/cards"],
    ["http.PUT", "/v1/me/cards", "?"],
    ["http.GET", "/v1/refunds", "?"],
    ["http.GET", "/v1/refunds/7/8", "?"],
    ["http.GET", "/V1/refunds/7", "?"],
    ["grpc.call", "/pay.v1.Payments/Refund", "pay.v1.Payments/Refund"],
    ["http.POST", "/pay.v1.Payments/Refund", "?"],
  ] as const) {
    const { resource, route: found } = table.match(action, path);
    assert.equal(resource.id, `payments/${id}`, path);
    assert.equal(found === undefined, id === "?");
  }
  // Routers that decode first would find the literal, others the parameter.
  assert.throws(() => table.match("http.GET", "/v1/refunds/al%6C"), {
    code: "AUTHZ_REQUEST_INVALID",
  });
});

test("a path that can be read in two ways is refused", () => {
  const table = new RouteTable({ name: "s", routes: [route("a/{x}", "http.GET")] });
  for (const path of [
    "",
    "a",
    "//a",
    "/a//b",
    "/a/",
    "/a/./b",
    "/a/../b",
    "/a/%2e%2e/b",
    "/a/b%2fc",
    "/a/b%5Cc",
    "/a/b\\c",
    "/a/%",
    "/a/%zz",
    "/a/%ff",
    "/a/b%00",
    "/a/b\n",
    "/a/%252e",
    "/a/b;c=d",
    "/a/b?c",
    "/a/b#c",
    `/${"a".repeat(9000)}`,
  ]) {
    refuses(() => table.match("http.GET", path), "AUTHZ_REQUEST_INVALID");
  }
  const routes = [route("a/{x}", "http.GET"), route("a/{y}", "http.POST")];
  refuses(() => new RouteTable({ name: "s", routes }), "MODEL_INVALID");
});

test("a HEAD of a declared GET has to be declared, since frameworks answer it by the GET", () => {
  const routes = [
    route("a", "http.GET"),
    route("b", "http.GET", "http.HEAD"),
    route("c/me", "http.GET"),
    route("c/{x}", "http.HEAD"),
  ];
  const table = new RouteTable({ name: "s", routes });
  for (const path of ["/a", "/c/me"]) {
    refuses(() => table.match("http.HEAD", path), "AUTHZ_REQUEST_INVALID");
  }
  for (const [path, id] of [
    ["/b", "s/b"],
    ["/c/you", "s/c/{x}"],
    ["/d", "s/?"],
  ] as const) {
    assert.equal(table.match("http.HEAD", path).resource.id, id);
  }
});

test("routes come from an OpenAPI document", () => {
  const document = {
    openapi: "3.1.0",
    paths: {
      "/v1/refunds/{id}": { get: { tags: ["Card Data"] }, delete: {}, parameters: [] },
      "/health": { summary: "nothing here" },
    },
  };
  assert.deepEqual(routesOfOpenApi(document), [
    { ...route("v1/refunds/{id}", "http.GET", "http.DELETE"), tags: ["card-data"] },
  ]);
  refuses(() => routesOfOpenApi({}), "MODEL_INVALID");
  refuses(() => routesOfOpenApi({ paths: { "/a/v{n}": { get: {} } } }), "MODEL_INVALID");
});

test("routes come from the services of a .proto file", () => {
  const source = `syntax = "proto3"; // service No { rpc No (A) returns (B); }
package pay.v1;
/* service Nor { rpc Nor (A) returns (B); } */
message service { string rpc = 1; message Inner { string package = 2; } }
service Payments {
  option (a.b) = "service X { rpc Y (";
  rpc Refund (A) returns (B) { option (google.api.http) = { post: "/v1" body: "*" }; }
  rpc Watch(stream A) returns (stream B);
}
service Other { rpc One(A) returns (B) {} }`;
  assert.deepEqual(
    routesOfProto(source).map(({ path }) => path),
    ["pay.v1.Payments/Refund", "pay.v1.Payments/Watch", "pay.v1.Other/One"],
  );
  assert.deepEqual(routesOfProto("").length, 0);
  // Read once, not once for each beginning: else this test would not end.
  for (const begun of ["/*", '\\"', "\\'"]) {
    assert.deepEqual(routesOfProto(begun.repeat(1_000_000)), []);
  }
});
