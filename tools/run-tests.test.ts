import assert from "node:assert/strict";
import { test } from "node:test";
import { plantTree } from "./testing/planted-tree.ts";

const HEAD = `import { test, describe } from "node:test";\n`;

/** Runs the runner over one planted file. */
function runOn(content: string): { readonly code: number; readonly text: string } {
  using tree = plantTree({ "tools/planted.test.ts": content });
  return tree.run("run-tests.ts");
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split("\n").at(-1);
}

test("a passing file is green, and the last line counts", () => {
  const { code, text } = runOn(`${HEAD}test("holds", () => {});`);
  assert.equal(lastLine(text), "1 passed, 0 failed, 0 skipped");
  assert.equal(code, 0);
});

test("a failure prints its whole name, its error and the error's cause", () => {
  const { code, text } = runOn(
    `${HEAD}describe("outer", () => { test("inner", () => {
      throw new Error("the error", { cause: new Error("the cause") });
    }); });
    test("other", () => {});`,
  );
  assert.equal(code, 1);
  for (const part of ["outer > inner", "the error", "the cause"]) assert.ok(text.includes(part));
  assert.equal(lastLine(text), "1 passed, 1 failed, 0 skipped");
});

test("suites that run together and suites that run alone are one run", () => {
  using tree = plantTree({
    "suites/faults/alone.suite.test.ts": `${HEAD}test("holds", () => {});`,
    "suites/faults/other.suite.test.ts": `${HEAD}test("breaks", () => { throw new Error("no"); });`,
    "suites/oidc/together.suite.test.ts": `${HEAD}test("holds", () => {});`,
    "suites/oidc/empty.suite.test.ts": "",
  });
  const { code, text } = tree.run("run-tests.ts", ["--suites"]);
  assert.equal(lastLine(text), "2 passed, 2 failed, 0 skipped");
  assert.ok(!text.includes("Warning"), text);
  assert.equal(code, 1);
});

test("skipped and todo tests are named and do not count as passed", () => {
  const { code, text } = runOn(
    `${HEAD}test("a", { skip: "no such machine" }, () => {});
    test("b", { todo: true }, () => { throw new Error("not yet"); });`,
  );
  assert.ok(text.includes("a (no such machine)"));
  assert.equal(lastLine(text), "0 passed, 0 failed, 2 skipped");
  assert.equal(code, 1, "nothing passed");
});

test("in CI a skip fails the run, unless its reason is one that a machine may have", () => {
  const passing = `${HEAD}test("holds", () => {});`;
  const skipping = (reason: string): string =>
    `${passing} test("a", { skip: ${reason} }, () => {});`;
  for (const [reason, code] of [
    [`"needs root, to be another user"`, 0],
    [`"there is no Go here"`, 1],
    ["true", 1],
  ] as const) {
    using tree = plantTree({ "tools/planted.test.ts": skipping(reason) });
    const run = tree.run("run-tests.ts", [], { CI: "true" });
    assert.equal(run.code, code, run.text);
    assert.equal(lastLine(run.text), "1 passed, 0 failed, 1 skipped");
    assert.equal(tree.run("run-tests.ts").code, 0);
  }
});

test("no files at all is a failure", () => {
  using tree = plantTree({ "tools/readme.md": "" });
  const { code, text } = tree.run("run-tests.ts");
  assert.equal(code, 1);
  assert.equal(lastLine(text), "0 passed, 0 failed, 0 skipped");
});

test("a file that registers no test is a failure", () => {
  const { code, text } = runOn("export const nothing = 1;");
  assert.equal(code, 1);
  assert.ok(text.includes("NO TESTS in tools/planted.test.ts"));
});

test("a file that throws at load is a failure", () => {
  const { code, text } = runOn(`throw new Error("at load");`);
  assert.equal(code, 1);
  assert.ok(text.includes("at load"));
});

test("a file that leaves a server open fails and names what is held", () => {
  const { code, text } = runOn(
    `${HEAD}import { createServer } from "node:net";
    test("leaks", () => { createServer().listen(0); });`,
  );
  assert.equal(code, 1);
  assert.ok(text.includes("TCPServerWrap"));
});

test("suites, interop and long tests are not unit tests, and run under their own name", () => {
  const passing = `${HEAD}test("holds", () => {});`;
  using tree = plantTree({
    "tools/a.test.ts": passing,
    "suites/b.suite.test.ts": passing,
    "suites/c.interop.test.ts": passing,
    "packages/p/src/d.long.test.ts": passing,
    "conformance/e.properties.test.ts": passing,
  });
  for (const args of [[], ["--suites"], ["--interop"], ["--long"]]) {
    const { code, text } = tree.run("run-tests.ts", args);
    assert.equal(lastLine(text), "1 passed, 0 failed, 0 skipped", args.join(" "));
    assert.equal(code, 0);
  }
  assert.equal(tree.run("run-tests.ts", ["--unknown"]).code, 2);
});
