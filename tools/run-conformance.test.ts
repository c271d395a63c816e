import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type PlantedTree, plantTree } from "./testing/planted-tree.ts";

const ITEM = { level: "MUST", who: "A", section: "§1", requirement: "is so" };
const ITEMS = JSON.stringify([
  { id: "AA-01", ...ITEM },
  { id: "AA-02", ...ITEM },
]);

function plant(notYet: Readonly<Record<string, string>>, body = "() => {}"): PlantedTree {
  return plantTree({
    "conformance/items.json": ITEMS,
    "conformance/not-held.json": JSON.stringify({ notYet, notApplicable: {} }),
    "packages/p/src/a.test.ts": `import { test } from "node:test";
      test("AA-01 (§1): is so", ${body});
      test("something else", () => {});`,
    "packages/p/src/b.test.ts": `throw new Error("carries no id, and is not run");`,
  });
}

test("what passes is held, what is listed is not yet, and the counts come last", () => {
  using tree = plant({ "AA-02": "later" });
  const { code, text } = tree.run("run-conformance.ts", ["--report"]);
  assert.equal(code, 0, text);
  assert.ok(text.includes("\n1 held, 1 not yet, 0 not applicable\n"));
});

test("an unlisted item, a listed item that is held, and a failing test are each red", () => {
  using unlisted = plant({});
  assert.equal(unlisted.run("run-conformance.ts").code, 1);
  using held = plant({ "AA-01": "later", "AA-02": "later" });
  assert.equal(held.run("run-conformance.ts").code, 1);
  using failing = plant({ "AA-01": "later", "AA-02": "later" }, "() => { throw new Error(); }");
  assert.equal(failing.run("run-conformance.ts").code, 1);
});

test("--update takes what is held off the list", () => {
  using tree = plant({ "AA-01": "later", "AA-02": "later" });
  assert.equal(tree.run("run-conformance.ts", ["--update"]).code, 0);
  const list: unknown = JSON.parse(
    readFileSync(join(tree.path, "conformance/not-held.json"), "utf8"),
  );
  assert.deepEqual(list, { notYet: { "AA-02": "later" }, notApplicable: {} });
});

test("no test that carries an id is a failure", () => {
  using tree = plantTree({
    "conformance/items.json": ITEMS,
    "conformance/not-held.json": JSON.stringify({ notYet: { "AA-*": "later" }, notApplicable: {} }),
  });
  assert.equal(tree.run("run-conformance.ts").code, 1);
});
