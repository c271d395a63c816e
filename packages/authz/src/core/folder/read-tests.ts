import { parseDatetime } from "../engine/scalars.ts";
import type { OnBehalfOf, RequestFacts } from "../model/request.ts";
import { Fields, oneOf } from "./fields.ts";
import { lineOf, type Report } from "./finding.ts";
import { type Invariant, parseInvariant } from "./invariant.ts";

/** What has to come out for one caller, action and resource. */
export interface DecisionTest {
  readonly who: string;
  readonly action: string;
  readonly what: string;
  readonly expect: "allow" | "deny" | "conditional";
  /** Facts of one request; without any, the answer is over all requests. */
  readonly given: Partial<RequestFacts> | undefined;
}

/** A test with where it stands. */
export interface SourcedTest {
  readonly file: string;
  readonly line: number;
  /** `undefined` for the organisation's. */
  readonly team: string | undefined;
  readonly test:
    | ({ readonly kind: "decision" } & DecisionTest)
    | ({ readonly kind: "invariant"; readonly text: string } & {
        readonly invariant: Invariant;
      });
}

const EXPECTED = ["allow", "deny", "conditional"] as const;

/** Reads a file of tests: `tests` with decisions, `invariants` with sentences. */
export function readTests(
  yaml: unknown,
  report: Report,
  {
    file,
    team,
    text,
  }: { readonly file: string; readonly team: string | undefined; readonly text: string },
): readonly SourcedTest[] {
  const fields = new Fields(yaml, report);
  const decisions = fields.list("tests").flatMap((json): SourcedTest[] => {
    const test = readDecision(json, report);
    if (test === undefined) return [];
    const line = lineOf(text, test.what);
    return [{ file, line, team, test: { kind: "decision", ...test } }];
  });
  const invariants = fields.list("invariants").flatMap((json): SourcedTest[] => {
    const inner = new Fields(json, report);
    const [never, only] = [inner.optionalText("never"), inner.optionalText("only")];
    inner.end();
    const kind = never === undefined ? "only" : "never";
    const sentence = never ?? only ?? "";
    const invariant =
      never !== undefined && only !== undefined ? undefined : parseInvariant(kind, sentence);
    if (invariant === undefined) {
      report(
        "an invariant is never: or only:, with FROM -> TO (never: also FROM ->* TO)",
        sentence,
      );
      return [];
    }
    const line = lineOf(text, sentence);
    return [
      { file, line, team, test: { kind: "invariant", text: `${kind}: ${sentence}`, invariant } },
    ];
  });
  fields.end();
  return [...decisions, ...invariants];
}

function readDecision(json: unknown, report: Report): DecisionTest | undefined {
  let faults = 0;
  const fields = new Fields(json, (reason, part) => {
    faults++;
    report(reason, part);
  });
  const [who, action, what] = [fields.text("who"), fields.text("action"), fields.text("what")];
  const expected = fields.text("expect");
  const expect = oneOf(EXPECTED, expected);
  const given = readGiven(fields.inner("given"));
  fields.end();
  if (expect === undefined) report(`expect is one of ${EXPECTED.join(", ")}`, expected);
  return faults > 0 || expect === undefined ? undefined : { who, action, what, expect, given };
}

function readGiven(fields: Fields | undefined): Partial<RequestFacts> | undefined {
  if (fields === undefined) return undefined;
  const at = fields.optionalText("at");
  const [sourceIp, device] = [fields.optionalText("sourceIp"), fields.optionalText("device")];
  const tls = fields.has("tls") ? fields.flag("tls") : true;
  const onBehalfOf = readOnBehalfOf(fields.inner("onBehalfOf"));
  if (at !== undefined && parseDatetime(at) === undefined) fields.refuse("at is no time", at);
  fields.end();
  return {
    tls,
    ...(at === undefined ? {} : { now: Number(parseDatetime(at)?.epochMs ?? 0) }),
    ...(sourceIp === undefined ? {} : { sourceIp }),
    ...(device === undefined ? {} : { device }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
  };
}

function readOnBehalfOf(fields: Fields | undefined): OnBehalfOf | undefined {
  if (fields === undefined) return undefined;
  const user = fields.optionalText("user");
  const [chain, scopes] = [fields.texts("chain"), fields.texts("scopes")];
  const seconds = fields.has("approvedAgoSeconds") ? fields.count("approvedAgoSeconds") : undefined;
  fields.end();
  return {
    chain,
    scopes,
    ...(user === undefined ? {} : { user }),
    ...(seconds === undefined ? {} : { approvedAgoMs: seconds * 1000 }),
  };
}
