import assert from "node:assert/strict";
import { test } from "node:test";
import { renderApi } from "./render-api.ts";

const FILES: Readonly<Record<string, string>> = {
  "src/index.d.ts": `export { b, type A } from "./a.ts"; export { X } from "other";
    export declare function c(): void;`,
  "src/a.d.ts": `/** The A. */ export interface A { /** x */ readonly x: number; }
    export declare function b(a: string): void;
    export declare function b(a: number): void;
    export declare const hidden: 1;`,
};

function render(files: Readonly<Record<string, string>>): ReturnType<typeof renderApi> {
  return renderApi([{ name: "p", path: "src/index.d.ts" }], (path) => files[path] ?? "");
}

test("exported names are followed to their declarations, sorted, without comments", () => {
  const { text, symbols, problems } = render(FILES);
  assert.deepEqual(problems, []);
  assert.equal(symbols, 4);
  assert.deepEqual(
    [...text.matchAll(/interface A|b\(a: string\)|b\(a: number\)|c\(\)|X/g)].map(String),
    ["interface A", "X", "b(a: string)", "b(a: number)", "c()"],
  );
  assert.ok(!text.includes("hidden"));
  assert.ok(!text.includes("The A"));
});

test("a changed signature changes the text", () => {
  const changed = {
    ...FILES,
    "src/a.d.ts": String(FILES["src/a.d.ts"]).replace("number", "bigint"),
  };
  assert.notEqual(render(changed).text, render(FILES).text);
});

test("export * and a name that leads nowhere are problems", () => {
  const planted = `export * from "./a.ts"; export { gone } from "./a.ts";`;
  assert.equal(render({ ...FILES, "src/index.d.ts": planted }).problems.length, 2);
});
