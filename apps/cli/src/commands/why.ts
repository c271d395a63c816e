import { Diagnosis, type WhyRequest } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { AGENT_SOCKET_FLAG, connectAgent } from "../clients/connect-agent.ts";
import { serverEntries } from "../clients/server-entries.ts";
import { wireId } from "../clients/spiffe-id-flag.ts";
import { EXIT } from "../exit-codes.ts";
import { whyJson, whyText } from "../render/why.ts";

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
    want: {
      kind: "string",
      help: "the ID it was expected to get: name it, and the answer is about its entry",
      placeholder: "ID",
    },
  },
  operands: { min: 0, max: 1 },
  examples: [
    "bonafide why --pid 4711 --want spiffe://example.org/web",
    "bonafide why --pid 4711",
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
    const question = { about: operands[0] ?? `--pid ${flags.pid ?? 0}`, want: flags.want };
    output.advice(whyText(answer, question), whyJson(answer));
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
