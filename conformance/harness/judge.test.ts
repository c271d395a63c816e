import assert from "node:assert/strict";
import { test } from "node:test";
import { type Evidence, idsOfTestName, type Item, judge, renderReport } from "./judge.ts";

const items: readonly Item[] = ["X509-01", "X509-02", "SID-01"].map((id) => ({
  id,
  level: "MUST",
  who: "A",
  section: "§1",
  requirement: "is so",
}));

function ran(name: string, outcome: Evidence["outcome"] = "passed"): Evidence {
  return { file: "a.test.ts", names: [name], outcome };
}

const all = [ran("X509-01: a"), ran("X509-02: b"), ran("SID-01: c")];
const nothing = { notYet: {}, notApplicable: {} };

test("a test name claims the ids it starts with, and no others", () => {
  assert.deepEqual(idsOfTestName("X509-20 (X509-SVID §5.2): refuses"), ["X509-20"]);
  assert.deepEqual(idsOfTestName("X509-02, X509-03/SID-01 and BND-02: x"), [
    "X509-02",
    "X509-03",
    "SID-01",
    "BND-02",
  ]);
  assert.deepEqual(idsOfTestName("refuses what X509-20 names"), []);
});

test("an item is held when every test that carries its id passes", () => {
  const { verdicts, problems } = judge(items, nothing, all);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    verdicts.map((verdict) => verdict.state),
    ["held", "held", "held"],
  );
});

test("an unlisted item without a test, or with a failing or skipped one, is a problem", () => {
  for (const outcome of [undefined, "failed", "skipped", "todo"] as const) {
    const evidence = outcome === undefined ? all.slice(1) : [...all, ran("X509-01: z", outcome)];
    const { problems } = judge(items, nothing, evidence);
    assert.equal(problems.length, 1, String(outcome));
    assert.ok(problems[0]?.includes("X509-01"));
  }
});

test("a listed item that is held is a problem", () => {
  const { problems } = judge(items, { notYet: { "SID-01": "later" }, notApplicable: {} }, all);
  assert.ok(problems[0]?.includes("SID-01 is held"));
});

test("a family pattern covers what is left of a family, and must cover something", () => {
  const listed = { notYet: { "X509-*": "later" }, notApplicable: {} };
  const { verdicts, problems } = judge(items, listed, all.slice(1));
  assert.deepEqual(problems, []);
  assert.equal(verdicts[0]?.state, "not yet");
  assert.equal(judge(items, listed, all).problems.length, 1);
});

test("an unknown id of a known family, an unknown listed id and an empty reason are problems", () => {
  assert.equal(judge(items, nothing, [...all, ran("X509-99: x")]).problems.length, 1);
  assert.equal(judge(items, nothing, [...all, ran("UTF8-16: not one of ours")]).problems.length, 0);
  const unknown = { notYet: { "ZZZ-01": "later" }, notApplicable: {} };
  assert.equal(judge(items, unknown, all).problems.length, 1);
  const silent = { notYet: {}, notApplicable: { "SID-01": " " } };
  assert.equal(judge(items, silent, all.slice(0, 2)).problems.length, 1);
  assert.ok(judge([], nothing, []).problems.length > 0);
});

test("the report ends with the counts", () => {
  const listed = { notYet: { "SID-01": "later" }, notApplicable: { "X509-01": "no such thing" } };
  const report = renderReport(judge(items, listed, [ran("X509-02: b")]), { whole: true });
  assert.equal(report.trimEnd().split("\n").at(-1), "1 held, 1 not yet, 1 not applicable");
});
