import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { plantTree } from "./testing/planted-tree.ts";

const PAGES = [
  "docs/cli.md",
  "docs/config/README.md",
  "docs/config/server.schema.json",
  "docs/config/agent.schema.json",
  "docs/config/oidc.schema.json",
] as const;

test("the pages are written from the code, are then accepted, and any that drifts is named", () => {
  using tree = plantTree({});
  const missing = tree.run("check-cli-docs.ts");
  assert.equal(missing.code, 1);
  for (const page of PAGES) assert.ok(missing.text.includes(`${page} is not up to date`));
  assert.equal(tree.run("check-cli-docs.ts", ["--write"]).code, 0);
  const right = tree.run("check-cli-docs.ts");
  assert.equal(right.code, 0, right.text);
  for (const page of PAGES) {
    const path = join(tree.path, page);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace("--trust-domain", "--realm").replace("trust_domain", "realm"));
    const drifted = tree.run("check-cli-docs.ts");
    assert.equal(drifted.code, 1, page);
    assert.ok(drifted.text.includes(`${page} is not up to date`), drifted.text);
    writeFileSync(path, text);
  }
});
