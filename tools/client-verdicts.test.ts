import assert from "node:assert/strict";
import { test } from "node:test";
import { clientVerdicts } from "./client-verdicts.ts";
import type { Outcome, TestRun } from "./test-run.ts";

const fileOf = (language: string): string =>
  `conformance/interop/${language}/${language}.interop.test.ts`;

function runOf(...outcomes: readonly (readonly [string, Outcome])[]): TestRun {
  const results = outcomes.map(([language, outcome]) => ({
    file: fileOf(language),
    names: [`${language} fetches`],
    outcome,
  }));
  return { results, empty: [], notes: [] };
}

test("each language is named with what became of all its tests", () => {
  const run = runOf(
    ["go", "passed"],
    ["go", "passed"],
    ["java", "passed"],
    ["java", "failed"],
    ["rust", "skipped"],
  );
  const files = ["go", "java", "python", "rust"].map(fileOf);
  assert.equal(
    clientVerdicts(files, run),
    "clients: go passed, java failed, python failed, rust skipped",
  );
});

test("a run without a program in another language says nothing of them", () => {
  assert.equal(clientVerdicts(["conformance/grpc-go/grpc-go.interop.test.ts"], runOf()), undefined);
});
