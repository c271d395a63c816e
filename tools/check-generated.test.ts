import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type PlantedTree, plantTree } from "./testing/planted-tree.ts";

const GEN = "packages/proto/src/gen";

/** A tree with this repository's protos and what is generated from them. */
function copyOfProtos(): PlantedTree {
  const tree = plantTree({});
  const root = fileURLToPath(new URL("..", import.meta.url));
  for (const path of ["buf.yaml", "buf.gen.yaml", "packages/proto"]) {
    cpSync(join(root, path), join(tree.path, path), { recursive: true });
  }
  return tree;
}

test("generated code that is edited, stray or missing is found", () => {
  using tree = copyOfProtos();
  assert.equal(tree.run("check-generated.ts").code, 0);
  tree.write({ [`${GEN}/stray_pb.ts`]: "export {};\n" });
  rmSync(join(tree.path, `${GEN}/workload_pb.ts`));
  const { code, text } = tree.run("check-generated.ts");
  assert.equal(code, 1);
  assert.ok(text.includes(`drifted: ${GEN}/stray_pb.ts`));
  assert.ok(text.includes(`drifted: ${GEN}/workload_pb.ts`));
});

test("a proto that breaks the lint rules is found", () => {
  using tree = copyOfProtos();
  assert.equal(tree.run("check-proto.ts").code, 0);
  tree.write({
    "packages/proto/proto/bonafide/bad/v1/bad.proto":
      'syntax = "proto3";\npackage bonafide.bad.v1;\nmessage bad_name { string badField = 1; }\n',
  });
  assert.equal(tree.run("check-proto.ts").code, 1);
});

test("no protos at all is a failure", () => {
  using tree = plantTree({});
  assert.equal(tree.run("check-proto.ts").code, 1);
});
