import assert from "node:assert/strict";
import { test } from "node:test";
import { plantTree } from "./testing/planted-tree.ts";

const NAMES =
  "types lint knip api:check gen:check proto:check layers docs:check lock:check shell:check format:check";

function planted(override: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const sound = Object.fromEntries(NAMES.split(" ").map((name) => [name, "echo all is well"]));
  return { "package.json": JSON.stringify({ scripts: { ...sound, ...override } }) };
}

test("all checks passing is a pass, with a line for each", () => {
  using tree = plantTree(planted({}));
  const { code, text } = tree.run("check.ts");
  assert.equal(code, 0, text);
  assert.ok(text.endsWith("check: 11 checks passed\n"));
  assert.equal(text.match(/^ok /gm)?.length, 11);
});

test("a failing check fails the whole, shows its output, and the others still run", () => {
  using tree = plantTree(planted({ layers: "echo the reason; exit 3" }));
  const { code, text } = tree.run("check.ts");
  assert.equal(code, 1);
  assert.ok(text.includes("the reason"));
  assert.ok(text.endsWith("check: 1 of 11 failed: layers\n"));
});

test("a check without a script fails", () => {
  using tree = plantTree(planted({ knip: undefined }));
  assert.ok(tree.run("check.ts").text.endsWith("check: 1 of 11 failed: knip\n"));
});
