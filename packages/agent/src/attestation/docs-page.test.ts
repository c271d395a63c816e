import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { SELECTOR_GRADES } from "./core/grades.ts";
import { ATTESTATION_STEPS } from "./steps.ts";

const page = readFileSync(new URL("../../../../docs/attestation.md", import.meta.url), "utf8");

test("docs/attestation.md prints the grade of every selector, and of no other", () => {
  const printed = [...page.matchAll(/^\| `([^`]+)` +\| (\w+) +\|/gm)].map(([, kind, grade]) => [
    kind,
    grade,
  ]);
  assert.deepEqual(printed, Object.entries(SELECTOR_GRADES));
});

test("docs/attestation.md prints the steps in their order", () => {
  const printed = [...page.matchAll(/^\| `([a-z-]+)` +\| (.+?) +\|$/gm)]
    .filter(([, name]) => ATTESTATION_STEPS.some((step) => step.name === name))
    .map(([, name, holds]) => [name, holds]);
  assert.deepEqual(
    printed,
    ATTESTATION_STEPS.map(({ name, holds }) => [name, holds]),
  );
});
