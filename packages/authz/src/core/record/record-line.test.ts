import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isBonafideError } from "@bonafide/errors";
import * as fc from "fast-check";
import { DECISION_REASONS, type DecisionRecord } from "./decision-record.ts";
import { formatDecisionRecord, parseDecisionRecord, requestsOfRecord } from "./record-line.ts";

const page = readFileSync(
  new URL("../../../../../docs/authz/decision-record.md", import.meta.url),
  "utf8",
);
const block = /^```json denied\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? "";
const denied = parseDecisionRecord(block);

test("docs/authz/decision-record.md: the record is read, and written again as one line", () => {
  assert.equal(denied.reason, "no_permit");
  const line = formatDecisionRecord(denied);
  assert.ok(!line.includes("\n"));
  assert.deepEqual(parseDecisionRecord(line), denied);
});

test("docs/authz/decision-record.md: every reason is on the page", () => {
  for (const reason of DECISION_REASONS) assert.ok(page.includes(`\`${reason}\``), reason);
});

test("a record gives one request for each principal, with the context of the decision", () => {
  const [workload, user] = requestsOfRecord(denied);
  assert.equal(workload?.principal.key, 'BF::Workload::"spiffe://example.org/ns/shop/checkout"');
  assert.equal(user?.principal.key, 'BF::User::"alice"');
  assert.equal(user?.context.attributes.has("obo"), true);
  assert.equal(user.resource.key, 'BF::Route::"payments/v1/refunds/{id}"');
});

test("a record that never came to policies has no request", () => {
  const { action: _a, resource: _r, onBehalfOf: _o, bundle: _b, ...rest } = denied;
  const record: DecisionRecord = {
    ...rest,
    edges: [],
    reason: "method_unknown",
    asked: "OPTIONS *",
  };
  assert.deepEqual(requestsOfRecord(parseDecisionRecord(formatDecisionRecord(record))), []);
});

test("fields that are unknown, missing or of another kind are refused", () => {
  const json = JSON.stringify;
  const parts: Readonly<Record<string, unknown>> = JSON.parse(block);
  const without = (name: string): string =>
    json(Object.fromEntries(Object.entries(parts).filter(([key]) => key !== name)));
  const lines = [
    json({ ...parts, extra: 1 }),
    json({ ...parts, v: 2 }),
    json({ ...parts, reason: "because" }),
    json({ ...parts, action: "http.BREW" }),
    json({ ...parts, edges: Array.from({ length: 33 }, () => denied.edges[0]) }),
    json({ ...parts, resource: { type: "Team", id: "x" } }),
    ...["v", "id", "at", "caller", "service", "tls", "allowed", "reason"].map(without),
    " ".repeat(70_000),
    "",
    "[]",
  ];
  for (const line of lines) {
    assert.throws(() => parseDecisionRecord(line), refused, line.slice(0, 60));
  }
});

test("no text makes the reader fail otherwise than by refusing", () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), mutated()), (text) => {
      try {
        parseDecisionRecord(text);
      } catch (error) {
        assert.ok(refused(error));
      }
    }),
  );
});

function mutated(): fc.Arbitrary<string> {
  const line = formatDecisionRecord(denied);
  return fc
    .tuple(fc.nat(line.length), fc.nat(9), fc.string({ maxLength: 4 }))
    .map(([at, cut, text]) => line.slice(0, at) + text + line.slice(at + cut));
}

function refused(error: unknown): boolean {
  return isBonafideError(error, "RECORD_MALFORMED");
}
