import { type Command, defineCommand } from "../arguments/command.ts";
import { loadAgentConfig } from "../config/agent-config.ts";
import { AGENT_FLAGS, agentFlagValues } from "../config/agent-flags.ts";
import { EXIT } from "../exit-codes.ts";
import { hardenProcess } from "../process/hardening.ts";
import { openParent, readSecret } from "../process/parent.ts";
import { runAgent } from "../run/run-agent.ts";

/** `bonafide agent run` */
export const agentRun: Command = defineCommand({
  name: "agent run",
  summary: "runs the agent of a node until it is stopped; its log goes to standard error",
  flags: {
    ...AGENT_FLAGS,
    "parent-fd-3": {
      kind: "boolean",
      help: "descriptor 3 is a socket: say there when it serves, and end with it",
    },
    "join-token-fd-4": { kind: "boolean", help: "read the join token from descriptor 4, a pipe" },
  },
  examples: [
    "bonafide agent run --trust-domain example.org --server 10.0.0.1:8081 \\\n" +
      "    --data-dir /var/lib/bonafide/agent --trust-bundle bundle.pem --join-token-file token",
    "bonafide agent run --config agent.yaml",
  ],
  async run({ flags, output, signal, machine }) {
    hardenProcess();
    const parent = openParent(flags["parent-fd-3"]);
    const load = () => loadAgentConfig(flags.config, agentFlagValues(flags));
    const end = await runAgent({
      config: load(),
      reload: flags.config === undefined ? undefined : load,
      joinToken: readSecret(flags["join-token-fd-4"]),
      signal: AbortSignal.any([signal, parent.gone]),
      clock: machine.clock,
      onReady: (facts) => {
        output.result(`${facts.id} serves the Workload API at ${facts.workloadSocket}`, facts);
        parent.tellReady({ ...facts });
      },
    });
    if (end.kind === "closed") return EXIT.ok;
    const { cause } = end;
    output.note(
      `bonafide: the agent stopped: ${cause?.says ?? "it cannot go on"} (${cause?.code ?? ""})`,
    );
    if (cause?.hint !== undefined) output.note(`  ${cause.hint}`);
    if (cause?.command !== undefined) output.note(`  next: ${cause.command}`);
    return EXIT.no;
  },
});
