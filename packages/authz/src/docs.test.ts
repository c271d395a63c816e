import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import {
  AccessGraph,
  BASE_SCHEMA,
  checkOwnership,
  entityOf,
  modelEntities,
  policiesOf,
  reach,
  reachablesOf,
  readFolder,
} from "./index.ts";
import { parsers } from "./testing/parsers.ts";

const page = readFileSync(new URL("../../../docs/authz.md", import.meta.url), "utf8");
const blocks = new Map(
  Array.from(page.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm), ([, name = "", text = ""]) => [
    name,
    text,
  ]),
);
const expected = blocks.get("reach") ?? "";
blocks.delete("reach");
const { folder, findings } = readFolder(blocks, parsers);

test("docs/authz.md: the folder has no findings, and its policies fit the schema", () => {
  assert.deepEqual([...findings, ...checkOwnership(folder)], []);
  const texts = [...blocks].filter(([name]) => name.endsWith(".cedar")).map(([, text]) => text);
  const answer = cedar.validate({
    schema: BASE_SCHEMA,
    policies: { staticPolicies: texts.join("\n") },
  });
  assert.equal(answer.type, "success");
  assert.deepEqual(answer.type === "success" ? answer.validationErrors : ["?"], []);
});

test("docs/authz.md: everybody can do what the page lists, and nothing else", () => {
  const { model } = folder;
  const principals = [
    ...model.users.map(({ name }) => entityOf("User", name)),
    ...model.workloads.map(({ id }) => entityOf("Workload", id)),
  ];
  const graph = new AccessGraph({
    policies: policiesOf(folder),
    entities: modelEntities(model),
    principals,
  });
  const lines = principals.flatMap((principal) =>
    reach(graph, principal, reachablesOf(model)).map(({ resource, action, access }) => {
      const only = access.conditions.length === 0 ? "" : ` if ${access.conditions.join(" and ")}`;
      return `${principal.id}: ${action.id} ${resource.id}${only}`;
    }),
  );
  assert.equal(`${lines.join("\n")}\n`, expected);
});

test("docs/authz.md: no block is left out", () => {
  assert.equal(page.match(/^```\w/gm)?.length, blocks.size + 1);
});
