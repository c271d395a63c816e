import assert from "node:assert/strict";
import { test } from "node:test";
import type { RouteDeclaration } from "@bonafide/authz";
import { parse } from "yaml";
import { editRoutesFile, newRoutesFile } from "./routes-file.ts";

const get = (path: string, tags: readonly string[] = []): RouteDeclaration => ({
  path,
  actions: ["http.GET"],
  tags,
  subject: "optional",
});
const rpc: RouteDeclaration = { ...get("a.v1.A/B"), actions: ["grpc.call"] };

/** Everything that was there is there, in its order, to the byte. */
function added(source: string, edit: Parameters<typeof editRoutesFile>[1]): string {
  const text = editRoutesFile(source, edit);
  let at = 0;
  for (const char of source) {
    at = text.indexOf(char, at) + 1;
    assert.ok(at > 0, text);
  }
  assert.doesNotThrow(() => parse(text), text);
  return text;
}

test("routes are added behind the last one, indented as people did, comments and all", () => {
  for (const indent of ["", "  ", "    "]) {
    const source = `# ours\nservice: a # s\nroutes: # r\n${indent}- { path: "/v1", methods: [GET] } # first\n${indent}# last\n\ntables:\n${indent}- { name: t }\n`;
    assert.equal(
      added(source, { added: [get("v2/{id}", ["x"]), rpc], widened: [] }),
      source.replace(
        " # first\n",
        ` # first\n${indent}- { path: "/v2/{id}", methods: [GET], tags: [x] }\n${indent}- { grpc: a.v1.A/B }\n`,
      ),
    );
  }
});

test("lists of every form are added to", () => {
  const line = '{ path: "/v2", methods: [GET] }';
  for (const [before, after] of [
    ["service: a\n", `service: a\nroutes:\n  - ${line}\n`],
    ["service: a", `service: a\nroutes:\n  - ${line}\n`],
    ["service: a\nroutes: []\n", `service: a\nroutes: [ ${line} ]\n`],
    [
      "service: a\nroutes: [{ path: /v1, methods: [GET] }]\n",
      `service: a\nroutes: [{ path: /v1, methods: [GET] }, ${line}]\n`,
    ],
    [
      "service: a\nroutes:\n  - path: /v1\n    methods:\n      - GET\n",
      `service: a\nroutes:\n  - path: /v1\n    methods:\n      - GET\n  - ${line}\n`,
    ],
    [
      "service: a\nroutes:\n- path: /v1\n  methods: [GET]",
      `service: a\nroutes:\n- path: /v1\n  methods: [GET]\n- ${line}`,
    ],
  ] as const) {
    assert.equal(added(before, { added: [get("v2")], widened: [] }), after);
  }
});

const withMethods = (methods: string): string =>
  `service: a\nroutes:\n  - path: /v1\n    methods: ${methods}\n  - { path: /v2, methods: [GET] }\n`;

test("methods are added to a route, whatever form its list has", () => {
  const widened = [{ path: "v1", actions: ["http.PUT", "http.DELETE"] }] as const;
  for (const [before, after] of [
    ["[GET]", "[GET, PUT, DELETE]"],
    ["[ GET ] # why", "[ GET, PUT, DELETE ] # why"],
    [
      "\n      - GET # g\n    tags: [x]",
      "\n      - GET # g\n      - PUT\n      - DELETE\n    tags: [x]",
    ],
  ] as const) {
    assert.equal(added(withMethods(before), { added: [], widened }), withMethods(after));
  }
});

test("what only people can edit is refused", () => {
  const widened = [{ path: "v1", actions: ["http.PUT"] }] as const;
  for (const source of [
    "- a",
    "a: [",
    "service: a\nroutes:\n",
    "service: a\nroutes: 7\n",
    "x: &m [GET]\nroutes: [{ path: /v1, methods: *m }]",
    "routes: [{ path: /v1, methods: [] }]",
  ]) {
    const edit = { added: [get("v2")], widened: source.includes("/v1") ? widened : [] };
    assert.throws(() => editRoutesFile(source, edit), { code: "AUTHZ_ROUTES_UNEDITABLE" }, source);
  }
});

test("a new file holds the routes and nothing else", () => {
  assert.deepEqual(parse(newRoutesFile("a", [get("v1"), rpc])), {
    service: "a",
    routes: [{ path: "/v1", methods: ["GET"] }, { grpc: "a.v1.A/B" }],
  });
});
