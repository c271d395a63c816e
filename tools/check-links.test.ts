import assert from "node:assert/strict";
import { test } from "node:test";
import { plantTree } from "./testing/planted-tree.ts";

const GOOD = {
  "README.md": "[a](docs/a.md#the-first-one) [b](docs) [c](https://example.org/x)\n",
  "docs/a.md": "# The `first` one\n\n[up](../README.md) ADR 0001\n",
  "docs/adr/0001-one.md": "# One\n",
  "packages/p/src/a.ts": "// as ADR-0001 says\n",
};

function check(more: Readonly<Record<string, string>>): { code: number; text: string } {
  using tree = plantTree({ ...GOOD, ...more });
  return tree.run("check-links.ts");
}

test("links that lead to files, folders and headings pass, and those in code are none", () => {
  const { code, text } = check({ "docs/b.md": "[a](a.md)\n```md\n[x](nowhere)\n```\n" });
  assert.equal(code, 0, text);
});

const faults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "a link to no file": { "docs/b.md": "[a](c.md)\n" },
  "a link to no heading": { "docs/b.md": "[a](a.md#the-second-one)\n" },
  "a page that names no ADR": { "docs/b.md": "see ADR-0002\n" },
  "code that names no ADR": { "packages/p/src/b.ts": "// ADR 0002\n" },
  "two ADRs of one number": { "docs/adr/0001-other.md": "# Other\n" },
};
for (const [name, files] of Object.entries(faults)) {
  test(`refuses ${name}`, () => {
    const { code, text } = check(files);
    assert.equal(code, 1, text);
  });
}
