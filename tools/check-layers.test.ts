import assert from "node:assert/strict";
import { test } from "node:test";
import { plantTree } from "./testing/planted-tree.ts";

function manifest(name: string, dependencies: Readonly<Record<string, string>> = {}): string {
  const exports = { ".": "./src/index.ts", "./testing": "./src/testing/index.ts" };
  return JSON.stringify({ name, exports, dependencies });
}

const sound = {
  "packages/errors/package.json": manifest("@bonafide/errors"),
  "packages/errors/src/index.ts": `export { a } from "./a.ts";`,
  "packages/errors/src/a.ts": "export const a = 1;",
  "packages/pki/package.json": manifest("@bonafide/pki", { "@bonafide/errors": "0.1.0" }),
  "packages/pki/src/index.ts": `import "@bonafide/errors";`,
  "conformance/a.test.ts": `import "@bonafide/pki"; import "@bonafide/pki/testing";`,
  "suites/b.suite.test.ts": `import "../conformance/helper.ts";`,
};

test("imports that go down by declared public names are accepted", () => {
  using tree = plantTree(sound);
  const { code, text } = tree.run("check-layers.ts");
  assert.equal(text, "layers: 5 modules, 5 imports, 0 problems\n");
  assert.equal(code, 0);
});

const faults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "an import that goes up": {
    "packages/errors/package.json": manifest("@bonafide/errors", { "@bonafide/pki": "0.1.0" }),
    "packages/errors/src/b.ts": `import "@bonafide/pki";`,
  },
  "an undeclared dependency": {
    "packages/pki/package.json": manifest("@bonafide/pki"),
  },
  "a package without a layer": {
    "packages/x/package.json": manifest("@bonafide/utils"),
  },
  "an import() that is not a literal": {
    "packages/pki/src/b.ts": `const name = "x"; await import(name);`,
  },
  "an import() that goes up": {
    "packages/errors/src/b.ts": `await import("@bonafide/pki");`,
  },
  "a re-export that goes up": {
    "packages/errors/src/b.ts": `export { x } from "@bonafide/pki";`,
  },
  "a path into another package": {
    "packages/pki/src/b.ts": `import "../../errors/src/a.ts";`,
  },
  "a fake in production code": {
    "packages/pki/src/b.ts": `import "@bonafide/errors/testing";`,
  },
  "an own fake in production code": {
    "packages/pki/src/b.ts": `import "./testing/index.ts";`,
  },
  "a deep import from conformance": {
    "conformance/b.test.ts": `import "@bonafide/pki/src/der.ts";`,
  },
  "a path into a package from an example": {
    "examples/b.ts": `import "../packages/pki/src/index.ts";`,
  },
  "a file that does not parse": {
    "packages/pki/src/b.ts": "import {",
  },
};

for (const [name, files] of Object.entries(faults)) {
  test(`refuses ${name}`, () => {
    using tree = plantTree({ ...sound, ...files });
    const { code, text } = tree.run("check-layers.ts");
    assert.equal(code, 1, text);
  });
}

test("an empty tree is a failure", () => {
  using tree = plantTree({});
  assert.equal(tree.run("check-layers.ts").code, 1);
});
