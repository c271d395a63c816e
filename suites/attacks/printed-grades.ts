import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Observation } from "@bonafide/agent/testing";

/** Read at once: a test that has become another user may not be able to. */
const page = readFileSync(new URL("../../docs/attestation.md", import.meta.url), "utf8");

/** Grades by kind of selector, as docs/attestation.md prints them. */
export function printedGrades(): ReadonlyMap<string, string> {
  const grades = new Map<string, string>();
  for (const [, kind = "", grade = ""] of page.matchAll(/^\| `([^`]+)` +\| (\w+) +\|/gm)) {
    grades.set(kind, grade);
  }
  assert.ok(grades.size > 0, "the page has a table of grades");
  return grades;
}

/**
 * Shows that a selector was seen with the very grade that the page prints for its kind.
 *
 * @param kind  As the page names it, such as `unix:path`.
 */
export function assertGrade(observation: Observation, kind: string): void {
  const printed = printedGrades().get(kind);
  assert.ok(printed !== undefined, `the page has no grade for ${kind}`);
  const name = kind.replace(/ from another uid$/, "");
  const seen = observation.selectors.filter(
    ({ type, value }) => `${type}:${value}` === name || `${type}:${value}`.startsWith(`${name}:`),
  );
  assert.ok(seen.length > 0, `${kind} was not seen`);
  for (const { grade } of seen) assert.equal(grade, printed, kind);
}
