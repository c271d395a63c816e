import {
  type Cause,
  type NearestEntry,
  type ObservedSelector,
  type OmittedFact,
  SelectorVerdict,
  type WantedSelector,
  type WhyResponse,
} from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { gradeText, observedText, processText } from "./observation.ts";
import { idText } from "./spiffe-id.ts";

/** Lines of an answer for people: what fits on a screen; `--json` has it all. */
const LINES_MAX = 25;

/** Of identities and further causes, each. */
const SHOWN_MAX = 3;

/** What was asked, for the lines that say how to ask better. */
export interface WhyQuestion {
  /** `--pid 4711`, or a decision's id. */
  readonly about: string;
  readonly want: string | undefined;
}

/** An answer of `why` for people: the first cause and what mends it, then the rest, at most 25 lines. */
export function whyText(answer: WhyResponse, question: WhyQuestion): string {
  const lines = [
    ...(answer.process === undefined ? [] : [processText(answer.process)]),
    ...some(
      answer.identities.map(
        ({ spiffeId, grade }) => `  is ${spiffeId}, kept apart by ${gradeText(grade)}`,
      ),
    ),
    ...(answer.firstCause === undefined
      ? ["nothing is wrong"]
      : causeText(answer.firstCause, answer, question)),
    ...some(answer.also.map(({ text, code }) => `also: ${text} (${code})`)),
  ];
  const room = LINES_MAX - lines.length - 1;
  return [...lines, "observed:", ...seenText(answer, room)].join("\n");
}

function causeText(cause: Cause, answer: WhyResponse, { about, want }: WhyQuestion): string[] {
  const lines = [`first cause: ${cause.text} (${cause.code})`];
  if (cause.hint !== "") lines.push(`  ${cause.hint}`);
  const { mendingCommand, nearest } = answer;
  if (mendingCommand !== "") lines.push("to mend it:", `  ${mendingCommand}`);
  if (nearest.length === 0) return lines;
  lines.push("nearest entries, by facts that differ:", ...nearest.map((near) => nearText(near)));
  if (want === undefined && !mendingCommand.includes(" --want ")) {
    lines.push(`  if another ID was meant: bonafide why ${about} --want ID`);
  }
  return lines;
}

/** `  spiffe://td/web (entry 1): unix:uid:5, not unix:uid:6`; the facts that hold are left out. */
function nearText({ entry, selectors }: NearestEntry): string {
  const differing = selectors.filter(({ verdict }) => verdict !== SelectorVerdict.PRESENT);
  const shown = differing.slice(0, SHOWN_MAX).map((each) => differenceText(each));
  if (differing.length > SHOWN_MAX) shown.push(`${differing.length - SHOWN_MAX} more`);
  return `  ${idText(entry?.spiffeId)} (entry ${entry?.id ?? ""}): ${shown.join("; ")}`;
}

function differenceText({ selector, verdict, observed }: WantedSelector): string {
  const wanted = `wants ${selector?.type ?? ""}:${selector?.value ?? ""}`;
  if (verdict === SelectorVerdict.CONTRADICTED) return `${wanted}, observed ${observed}`;
  return `${wanted}, not observed${observed === "" ? "" : ` (${observed})`}`;
}

/** At most three of these, and how many are left out. */
function some(lines: readonly string[]): readonly string[] {
  if (lines.length <= SHOWN_MAX) return lines;
  return [...lines.slice(0, SHOWN_MAX), `  ... and ${lines.length - SHOWN_MAX} more`];
}

/** What was observed, as far as there is room; of more, the selectors before the omissions. */
function seenText(
  seen: {
    readonly observed: readonly ObservedSelector[];
    readonly omitted: readonly OmittedFact[];
  },
  room: number,
): readonly string[] {
  const lines = observedText(seen.observed, seen.omitted);
  if (lines.length <= room) return lines;
  return [
    ...lines.slice(0, room - 1),
    `  ... and ${lines.length - room + 1} more; --json shows all`,
  ];
}

const VERDICTS: Readonly<Record<number, string>> = {
  [SelectorVerdict.PRESENT]: "holds",
  [SelectorVerdict.CONTRADICTED]: "contradicted",
  [SelectorVerdict.NOT_OBSERVED]: "not-observed",
};

/** An answer of `why` for machines. */
export function whyJson(answer: WhyResponse): Readonly<Record<string, unknown>> {
  return {
    process: answer.process ?? null,
    observed: answer.observed.map(({ selector, grade, source }) => ({
      selector: `${selector?.type ?? ""}:${selector?.value ?? ""}`,
      grade: gradeText(grade),
      source,
    })),
    omitted: answer.omitted.map(({ fact, reason, text }) => ({ fact, reason, text })),
    identities: answer.identities.map(({ spiffeId, entryId }) => ({ spiffeId, entryId })),
    decision: answer.decision?.id ?? null,
    firstCause: answer.firstCause ?? null,
    also: answer.also,
    nearest: answer.nearest.map(({ entry, selectors }) => ({
      entryId: entry?.id ?? "",
      spiffeId: idText(entry?.spiffeId),
      selectors: selectors.map(({ selector, verdict, observed }) => ({
        selector: `${selector?.type ?? ""}:${selector?.value ?? ""}`,
        verdict: VERDICTS[verdict] ?? "unknown",
        observed,
      })),
    })),
    mendingCommand: answer.mendingCommand,
  };
}
