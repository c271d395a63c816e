import assert from "node:assert/strict";
import { test } from "node:test";
import { plantTree } from "./testing/planted-tree.ts";

type Locked = Readonly<Record<string, unknown>>;

function files(locked: Locked, manifest: Locked = {}): Record<string, string> {
  const packages = { "": {}, "node_modules/a": { version: "1.0.0", license: "MIT" }, ...locked };
  return {
    "package.json": JSON.stringify({ dependencies: { a: "1.0.0" }, ...manifest }),
    "package-lock.json": JSON.stringify({ lockfileVersion: 3, packages }),
  };
}

test("allowed licences, denied scripts and exact versions are accepted", () => {
  using tree = plantTree(
    files(
      {
        "node_modules/b": { license: "(MIT OR GPL-3.0-only)" },
        "node_modules/a/node_modules/@s/c": { license: "MIT AND ISC", hasInstallScript: true },
        "node_modules/@bonafide/x": { resolved: "packages/x", link: true },
      },
      { allowScripts: { "@s/c": false }, devDependencies: { b4: "npm:@s/b@4.0.0" } },
    ),
  );
  const { code, text } = tree.run("check-lock.ts");
  assert.equal(text, "lock: 3 packages, 1 manifests, 0 problems\n");
  assert.equal(code, 0);
});

const faults: Readonly<Record<string, Record<string, string>>> = {
  "a licence that is not listed": files({ "node_modules/b": { license: "GPL-3.0-only" } }),
  "one part of an AND that is not listed": files({ "node_modules/b": { license: "MIT AND X" } }),
  "a mixed expression": files({ "node_modules/b": { license: "(MIT OR X) AND X" } }),
  "no licence": files({ "node_modules/b": {} }),
  "an install script that is not denied": files({
    "node_modules/b": { license: "MIT", hasInstallScript: true },
  }),
  "an install script that is allowed": files({}, { allowScripts: { b: true } }),
  "a registry's host": files({
    "node_modules/b": { license: "MIT", resolved: "https://registry.example/b/-/b-1.0.0.tgz" },
  }),
  "a version range": files({}, { devDependencies: { b: "^1.0.0" } }),
  "a version range under another name": files({}, { devDependencies: { b4: "npm:b@^4.0.0" } }),
  "an empty lock": {
    "package.json": "{}",
    "package-lock.json": JSON.stringify({ packages: { "": {} } }),
  },
};

for (const [name, planted] of Object.entries(faults)) {
  test(`refuses ${name}`, () => {
    using tree = plantTree(planted);
    const { code, text } = tree.run("check-lock.ts");
    assert.equal(code, 1, text);
  });
}
