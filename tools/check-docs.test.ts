import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { plantTree } from "./testing/planted-tree.ts";

const TABLE = `/** The codes. */
export const A_ERRORS = {
  /** A thing is missing. */
  THING_MISSING: { status: "not_found", retry: false },
} as const;
`;
const PAGE = "docs/errors/README.md";

test("the page is written from the tables, and is then accepted", () => {
  using tree = plantTree({ "packages/a/src/errors.ts": TABLE });
  assert.equal(tree.run("check-docs.ts").code, 1, "no page yet");
  assert.equal(tree.run("check-docs.ts", ["--write"]).code, 0);
  const page = readFileSync(join(tree.path, PAGE), "utf8");
  assert.ok(page.includes("| `THING_MISSING` | a | not_found | no | A thing is missing. | "));
  assert.equal(tree.run("check-docs.ts").code, 0);
});

test("what a person wrote under what to do is kept", () => {
  using tree = plantTree({ "packages/a/src/errors.ts": TABLE });
  tree.run("check-docs.ts", ["--write"]);
  const path = join(tree.path, PAGE);
  const edited = readFileSync(path, "utf8").replace(/missing\. \| .*$/m, "missing. | Find it. |");
  writeFileSync(path, edited);
  assert.equal(tree.run("check-docs.ts", ["--write"]).code, 0);
  assert.equal(readFileSync(path, "utf8"), edited);
});

const faults: Readonly<Record<string, string>> = {
  "a new code": TABLE.replace("} as", `/** B. */ B: { status: "internal", retry: true } } as`),
  "a changed status": TABLE.replace("not_found", "internal"),
  "a new code without a comment": TABLE.replace(
    "} as",
    `B: { status: "internal", retry: true } } as`,
  ),
  "an export without a doc comment": `${TABLE}export const x = 1;`,
  "an export with a plain comment": `${TABLE}// why\nexport function f(): void {}`,
  "a doc comment that belongs to something else": `${TABLE}/** y */ const y = 1;\nexport type T = typeof y;`,
  "a file that does not parse": `${TABLE}export const = 1`,
};

for (const [name, content] of Object.entries(faults)) {
  test(`refuses ${name}`, () => {
    using tree = plantTree({ "packages/a/src/errors.ts": TABLE });
    tree.run("check-docs.ts", ["--write"]);
    tree.write({ "packages/a/src/errors.ts": content });
    const { code, text } = tree.run("check-docs.ts");
    assert.equal(code, 1, text);
  });
}

test("a cause that people wrote serves where the table gives none", () => {
  using tree = plantTree({ "packages/a/src/errors.ts": TABLE });
  tree.run("check-docs.ts", ["--write"]);
  tree.write({ "packages/a/src/errors.ts": TABLE.replace("/** A thing is missing. */", "") });
  const { code, text } = tree.run("check-docs.ts");
  assert.equal(code, 0, text);
});

test("only the first overload needs a doc comment", () => {
  const overloads = `/** f */ export function f(): void;
    export function f(a: string): void;
    export function f(a?: string): void { void a; }`;
  using tree = plantTree({ "packages/a/src/errors.ts": `${TABLE}${overloads}` });
  assert.equal(tree.run("check-docs.ts", ["--write"]).code, 0);
});

test("an empty tree is a failure", () => {
  using tree = plantTree({});
  assert.equal(tree.run("check-docs.ts").code, 1);
});
