import { modelEntities, nameOf, policiesOf, why } from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { explanationJson, explanationText } from "../authz/explanation.ts";
import { FOLDER_FLAG, openFolder } from "../authz/open-folder.ts";
import { REPLAY_FLAGS, replayDecision } from "../authz/replay.ts";
import { describeRequest, REQUEST_FLAGS } from "../authz/request-flags.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz why` */
export const authzWhy: Command = defineCommand({
  name: "authz why",
  summary: "decides one request and says what each policy had to do with it",
  usage: "(WHO ACTION WHAT | --record FILE --bundle FILE --trust FILE) [flags]",
  flags: { ...FOLDER_FLAG, ...REQUEST_FLAGS, ...REPLAY_FLAGS },
  operands: { min: 0, max: 3 },
  examples: [
    "bonafide authz why shop/checkout POST payments/v1/refunds/{id}",
    "bonafide authz why user:alice GET payments/v1/refunds/7 --no-tls",
    "bonafide authz why shop/assistant grpc.call payments/pay.v1.Payments/Refund --on-behalf-of alice --approved-ago 30s",
    "bonafide authz why --record denied.jsonl --bundle authz.bundle --trust policy.pub",
  ],
  async run({ flags, operands, output, machine }) {
    if (flags.record !== undefined) {
      if (operands.length > 0) throw usage("--record says who, what and which");
      const replay = await replayDecision({ ...flags, record: flags.record });
      output.result(replay.text, replay.json);
      if (!replay.isSame) return EXIT.data;
      return replay.allowed ? EXIT.ok : EXIT.no;
    }
    if (operands.length < 3) throw usage("why what? give WHO ACTION WHAT, or --record FILE");
    const folder = await openFolder(flags.folder);
    const { request, isDeclared } = describeRequest(operands, flags, {
      folder,
      now: machine.clock.now(),
    });
    const explanation = why(policiesOf(folder), modelEntities(folder.model), request);
    const places = new Map(folder.policies.map((policy) => [policy.id, policy]));
    const { allowed } = explanation.verdict;
    const lines = [explanationText(request, explanation, places)];
    if (!isDeclared)
      lines.push("  the path is not declared; only what permits the service reaches it");
    if (!allowed && isDeclared && explanation.verdict.decision.determining.length === 0) {
      const { principal, action, resource } = request;
      const ask = `${nameOf(resource)} --from ${nameOf(principal)} --action ${action.id}`;
      lines.push(`to ask for it: bonafide authz request ${ask} --reason TEXT --by NAME`);
    }
    const found = explanationJson(request, explanation, places);
    output.result(lines.join("\n"), { declared: isDeclared, ...found });
    return allowed ? EXIT.ok : EXIT.no;
  },
});
