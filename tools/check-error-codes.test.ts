import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { plantTree } from "./testing/planted-tree.ts";

const TABLE = `export const A_ERRORS = {
  /** A thing is missing. */
  THING_MISSING: { status: "not_found", retry: false },
} as const;
`;
const LIST = "tools/error-codes.json";
const list = (notThrown: object, notTested: object): string =>
  JSON.stringify({ notThrown, notTested });
const GOOD = {
  "packages/a/src/errors.ts": TABLE,
  "packages/a/src/a.ts": `throw new BonafideError(A_ERRORS, "THING_MISSING", "gone");`,
  "packages/a/src/a.test.ts": `test("refused", () => refuses({ code: "THING_MISSING" }));`,
  [LIST]: list({}, {}),
};

test("a code that is thrown and named by a test passes", () => {
  using tree = plantTree(GOOD);
  const { code, text } = tree.run("check-error-codes.ts");
  assert.equal(code, 0, text);
});

const faults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "a code that nobody throws": { "packages/a/src/a.ts": "export {};" },
  "a code that no test names": { "packages/a/src/a.test.ts": "test();" },
  "an exception for no code": { [LIST]: list({}, { OTHER: "because" }) },
  "an exception for a code that is thrown": { [LIST]: list({ THING_MISSING: "because" }, {}) },
  "an exception for a code that a test names": { [LIST]: list({}, { THING_MISSING: "because" }) },
  "an exception without a reason": {
    "packages/a/src/a.test.ts": "test();",
    [LIST]: list({}, { THING_MISSING: "" }),
  },
};
for (const [name, files] of Object.entries(faults)) {
  test(`refuses ${name}`, () => {
    using tree = plantTree({ ...GOOD, ...files });
    const { code, text } = tree.run("check-error-codes.ts");
    assert.equal(code, 1, text);
  });
}

test("--write only shortens the list", () => {
  using tree = plantTree({ ...GOOD, [LIST]: list({ THING_MISSING: "because", OTHER: "x" }, {}) });
  assert.equal(tree.run("check-error-codes.ts", ["--write"]).code, 0);
  assert.deepEqual(JSON.parse(readFileSync(join(tree.path, LIST), "utf8")), {
    notThrown: {},
    notTested: {},
  });
});
