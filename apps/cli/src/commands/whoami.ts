import { Self } from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import { type Command, defineCommand } from "../arguments/command.ts";
import { connectWorkloadSocket, WORKLOAD_SOCKET_FLAG } from "../clients/connect-agent.ts";
import { EXIT } from "../exit-codes.ts";
import { gradeText, observedText, processText } from "../render/observation.ts";

/** `bonafide whoami` */
export const whoami: Command = defineCommand({
  name: "whoami",
  summary: "says what the agent sees of this process, and which identities it has",
  flags: WORKLOAD_SOCKET_FLAG,
  examples: ["bonafide whoami", "bonafide exec --as web -- bonafide whoami"],
  async run({ flags, env, output, signal }) {
    using agent = connectWorkloadSocket(flags.socket, env);
    const answer = await agent.client(Self).whoami({}, { signal });
    const { identities, observed, omitted, worth, decision, process: seen } = answer;
    output.advice(
      [
        ...(identities.length === 0
          ? [`no identity; for the reason: bonafide why ${decision?.id ?? ""}`]
          : identities.map(({ spiffeId, grade }) => `${spiffeId} (${gradeText(grade)})`)),
        ...(worth === "" || identities.length === 0 ? [] : [worth]),
        ...(seen === undefined ? [] : [processText(seen)]),
        "observed:",
        ...observedText(observed, omitted),
      ].join("\n"),
      {
        identities: identities.map(({ spiffeId, entryId, hint, grade }) => ({
          spiffeId,
          entryId,
          hint,
          grade: gradeText(grade),
        })),
        observed: observed.map(({ selector, grade }) => ({
          selector: `${selector?.type ?? ""}:${selector?.value ?? ""}`,
          grade: gradeText(grade),
        })),
        omitted: omitted.map(({ fact, reason }) => ({ fact, reason })),
        worth,
        process: seen ?? null,
        decision: decision?.id ?? null,
      },
    );
    return identities.length === 0 ? EXIT.no : EXIT.ok;
  },
});
