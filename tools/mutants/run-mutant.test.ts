import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findChecks } from "./find-checks.ts";
import { firstFailure } from "./run-mutant.ts";

test("a check is taken out while its module is loaded, and the test that fails is named", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bonafide-mutants-"));
  try {
    const [code, tests] = [join(folder, "small.ts"), join(folder, "small.test.ts")];
    const source = `export function half(x: number): number {
  if (x % 2 === 1) throw new Error("odd");
  if (x > 1000) throw new Error("large");
  return x / 2;
}
`;
    writeFileSync(code, source);
    writeFileSync(
      tests,
      `import assert from "node:assert/strict";
import { test } from "node:test";
import { half } from "./small.ts";
test("halves", () => assert.equal(half(4), 2));
test("refuses odd numbers", () => assert.throws(() => half(3)));
`,
    );
    const [odd, large] = findChecks(code, source);
    assert.equal(await firstFailure([tests], undefined), undefined);
    assert.equal(await firstFailure([tests], odd), "refuses odd numbers");
    assert.equal(await firstFailure([tests], large), undefined);
    assert.equal(readFileSync(code, "utf8"), source);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
