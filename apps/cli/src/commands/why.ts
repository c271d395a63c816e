import {
  Diagnosis,
  SelectorVerdict,
  type WhyRequest,
  type WhyResponse,
} from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { AGENT_SOCKET_FLAG, connectAgent } from "../clients/connect-agent.ts";
import { serverEntries } from "../clients/server-entries.ts";
import { wireId } from "../clients/spiffe-id-flag.ts";
import { EXIT } from "../exit-codes.ts";
import { gradeText, observedText, processText } from "../render/observation.ts";
import { idText } from "../render/spiffe-id.ts";

/** `bonafide why` */
export const why: Command = defineCommand({
  name: "why",
  summary: "says why a process got its identities, or none, and what mends it",
  usage: "(--pid N | DECISION-ID) [--want ID]",
  flags: {
    ...AGENT_SOCKET_FLAG,
    pid: { kind: "integer", help: "a living process, judged as if it called now" },
    "server-socket": {
      kind: "string",
      help: "the server's admin socket, for entries that do not reach this node; used if it is there",
      placeholder: "PATH",
    },
    want: { kind: "string", help: "the ID it was expected to get", placeholder: "ID" },
  },
  operands: { min: 0, max: 1 },
  examples: [
    "bonafide why --pid 4711",
    "bonafide why --pid 4711 --want spiffe://example.org/web",
    "bonafide why d-1f3a9c",
  ],
  async run({ flags, operands, env, output, signal }) {
    using agent = connectAgent(flags.socket, env);
    const about = aboutOf(flags.pid, operands[0]);
    if (flags.want !== undefined) wireId(flags.want, "--want");
    const elsewhere = await serverEntries(flags["server-socket"], env, { signal });
    const answer = await agent
      .client(Diagnosis)
      .why({ about, want: flags.want ?? "", elsewhere }, { signal });
    output.advice(whyText(answer), whyJson(answer));
    return answer.firstCause === undefined ? EXIT.ok : EXIT.no;
  },
});

function aboutOf(pid: number | undefined, decisionId: string | undefined): WhyRequest["about"] {
  if (pid !== undefined && decisionId === undefined) return { case: "pid", value: pid };
  if (pid === undefined && decisionId !== undefined) {
    return { case: "decisionId", value: decisionId };
  }
  throw usage("why whom? give --pid N or a decision id");
}

function whyText(answer: WhyResponse): string {
  const { process: seen, firstCause: cause } = answer;
  const lines: string[] = [];
  if (seen !== undefined) lines.push(processText(seen));
  for (const { spiffeId, grade } of answer.identities) {
    lines.push(`  is ${spiffeId}, kept apart by ${gradeText(grade)}`);
  }
  if (cause === undefined) lines.push("nothing is wrong");
  else {
    lines.push(`first cause: ${cause.text} (${cause.code})`);
    if (cause.wanted !== "") lines.push(`  wanted:   ${cause.wanted}`);
    if (cause.observed !== "") lines.push(`  observed: ${cause.observed}`);
    if (cause.hint !== "") lines.push(`  ${cause.hint}`);
  }
  for (const also of answer.also) lines.push(`also: ${also.text} (${also.code})`);
  // Near entries are of use to whoever misses one.
  for (const { entry, selectors } of cause === undefined ? [] : answer.nearest) {
    lines.push(`nearest entry ${entry?.id ?? ""}: ${idText(entry?.spiffeId)}`);
    for (const { selector, verdict, observed } of selectors) {
      const text = `${selector?.type ?? ""}:${selector?.value ?? ""}`;
      lines.push(`  ${VERDICTS[verdict]} ${text}${observed === "" ? "" : ` (${observed})`}`);
    }
  }
  lines.push("observed:", ...observedText(answer.observed, answer.omitted));
  if (answer.mendingCommand !== "") lines.push("to mend it:", `  ${answer.mendingCommand}`);
  return lines.join("\n");
}

const VERDICTS: Readonly<Record<number, string>> = {
  [SelectorVerdict.PRESENT]: "holds       ",
  [SelectorVerdict.CONTRADICTED]: "contradicted",
  [SelectorVerdict.NOT_OBSERVED]: "not observed",
};

function whyJson(answer: WhyResponse): Readonly<Record<string, unknown>> {
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
        verdict: (VERDICTS[verdict] ?? "unknown").trim().replace(" ", "-"),
        observed,
      })),
    })),
    mendingCommand: answer.mendingCommand,
  };
}
