import { type Command, defineCommand } from "../arguments/command.ts";
import { EXIT } from "../exit-codes.ts";
import { runUp } from "../up/run-up.ts";

/** `bonafide up` */
export const up: Command = defineCommand({
  name: "up",
  summary: "starts server, agent and two demo workloads that prove who they are",
  flags: {
    once: { kind: "boolean", help: "end once both are proven and a third process was refused" },
    "data-dir": {
      kind: "string",
      help: "kept between runs",
      placeholder: "DIR",
      standard: ".bonafide",
    },
    "trust-domain": { kind: "string", help: "name of the trust domain", standard: "example.org" },
    "server-port": { kind: "integer", help: "port of the server", standard: "a free one" },
  },
  examples: ["bonafide up", "bonafide up --once"],
  async run({ flags, env, output, signal, machine }) {
    await runUp({
      trustDomain: flags["trust-domain"] ?? "example.org",
      dataDir: flags["data-dir"] ?? ".bonafide",
      once: flags.once,
      serverPort: flags["server-port"] ?? 0,
      env,
      signal,
      say: (line) => {
        output.advice(line, { line });
      },
      machine,
    });
    return EXIT.ok;
  },
});
