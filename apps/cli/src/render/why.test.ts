import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Grade,
  SelectorVerdict,
  type WhyResponse,
  WhyResponseSchema,
} from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { whyText } from "./why.ts";

type Answer = Exclude<MessageInitShape<typeof WhyResponseSchema>, WhyResponse>;

const ASKED = { about: "--pid 4242", want: undefined };

function selectorOf(text: string): { type: string; value: string } {
  const colon = text.indexOf(":");
  return { type: text.slice(0, colon), value: text.slice(colon + 1) };
}

function answerOf(more: Answer = {}): WhyResponse {
  return create(WhyResponseSchema, {
    process: { pid: 4242, uid: 1000, gid: 1000, executable: "/usr/bin/node", pinning: "pidfd" },
    observed: [{ selector: selectorOf("unix:uid:1000"), grade: Grade.USER, source: "SO_PEERCRED" }],
    ...more,
  });
}

function nearest(id: string, ...wanted: readonly string[]): NonNullable<Answer["nearest"]>[number] {
  return {
    entry: { id, spiffeId: { trustDomain: "example.org", path: `/${id}` } },
    selectors: [
      { selector: selectorOf("unix:gid:1000"), verdict: SelectorVerdict.PRESENT },
      ...wanted.map((text) => ({
        selector: selectorOf(text),
        verdict: SelectorVerdict.CONTRADICTED,
        observed: "unix:uid:1000",
      })),
    ],
  };
}

const CAUSE = { code: "entry.selector_contradicted", text: "it wants another", hint: "Change it." };

test("a process with its identity: one line each, nothing is wrong", () => {
  const text = whyText(
    answerOf({ identities: [{ spiffeId: "spiffe://example.org/web", grade: Grade.USER }] }),
    ASKED,
  );
  assert.equal(
    text,
    `process 4242 (uid 1000, gid 1000, known by pidfd) /usr/bin/node
  is spiffe://example.org/web, kept apart by user
nothing is wrong
observed:
  user      unix:uid:1000`,
  );
});

test("a refused one: the cause, what mends it, then what differs, the ID to ask for last", () => {
  const text = whyText(
    answerOf({
      firstCause: CAUSE,
      mendingCommand: "bonafide exec --as web -- CMD",
      nearest: [nearest("web", "unix:uid:3000")],
    }),
    ASKED,
  );
  assert.equal(
    text,
    `process 4242 (uid 1000, gid 1000, known by pidfd) /usr/bin/node
first cause: it wants another (entry.selector_contradicted)
  Change it.
to mend it:
  bonafide exec --as web -- CMD
nearest entries, by facts that differ:
  spiffe://example.org/web (entry web): wants unix:uid:3000, observed unix:uid:1000
  if another ID was meant: bonafide why --pid 4242 --want ID
observed:
  user      unix:uid:1000`,
  );
});

test("whoever named an ID is not told to name one", () => {
  const near = { firstCause: CAUSE, nearest: [nearest("web", "unix:uid:3000")] };
  const answer = answerOf(near);
  assert.doesNotMatch(whyText(answer, { ...ASKED, want: "spiffe://example.org/web" }), /--want/);
  const led = answerOf({ ...near, mendingCommand: "bonafide why --pid 4242 --want x" });
  assert.equal(whyText(led, ASKED).match(/--want/g)?.length, 1);
});

test("an answer is at most 25 lines, however much there is to say", () => {
  const many = Array.from({ length: 40 }, (_, i) => i);
  const text = whyText(
    answerOf({
      identities: many.map((i) => ({ spiffeId: `spiffe://example.org/${i}`, grade: Grade.LABEL })),
      firstCause: CAUSE,
      also: many.map((i) => ({ code: "entry.none", text: `cause ${i}` })),
      mendingCommand: "bonafide why --pid 4242 --want spiffe://example.org/web",
      nearest: ["a", "b", "c"].map((id) =>
        nearest(id, ...many.slice(0, 9).map((i) => `unix:uid:${i}`)),
      ),
      observed: many.map((i) => ({
        selector: selectorOf(`unix:supplementary_gid:${i}`),
        grade: Grade.USER,
      })),
      omitted: many.map(() => ({ fact: "unix:path", reason: "attestor.failed", text: "no" })),
    }),
    ASKED,
  );
  const lines = text.split("\n");
  assert.equal(lines.length, 25);
  assert.equal(lines.at(-1), "  ... and 74 more; --json shows all");
  assert.match(text, /wants unix:uid:2, observed unix:uid:1000; 6 more$/m);
});
