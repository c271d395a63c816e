import assert from "node:assert/strict";
import { test } from "node:test";
import { plantTree } from "./testing/planted-tree.ts";

const LIST = JSON.stringify({ "1": { property: "p", attacks: { "P1.1": "a", "P1.2": "b" } } });
const FIRST = `import { test } from "node:test"; test("P1.1: refused", () => {});`;
const BOTH = `${FIRST} test("P1.2: refused", () => {});`;

function runOn(content: string): { readonly code: number; readonly text: string } {
  using tree = plantTree({
    "suites/properties/attacks.json": LIST,
    "suites/properties/a.properties.test.ts": content,
  });
  return tree.run("run-properties.ts");
}

test("every listed attack tried and refused is green, with a line per property", () => {
  const { code, text } = runOn(BOTH);
  assert.equal(code, 0, text);
  assert.ok(text.startsWith("property 1, p: 2 of 2 attacks tried, 2 refused\n"));
});

for (const [name, content] of Object.entries({
  "an attack that was not tried": FIRST,
  "an attack that was skipped": BOTH.replace('refused", (', 'refused", { skip: true }, ('),
  "an attack that got through": `${BOTH} test("P1.2: again", () => { throw new Error(); });`,
  "an attack that is not listed": `${BOTH} test("P1.3: c", () => {});`,
  "no tests": "export {};",
})) {
  test(`refuses ${name}`, () => {
    assert.equal(runOn(content).code, 1);
  });
}
