import { COMMANDS } from "../commands/index.ts";
import { SPIRE_VERBS } from "../spire-verbs.ts";
import type { FlagSpec } from "./command.ts";
import { flagShape, flagText } from "./help.ts";

const HEAD = `# Command line

Written by \`npm run docs\` from the commands themselves, and checked for drift.

\`bonafide COMMAND --help\` shows the same. Every command takes \`--json\` (machines read standard output; errors are one JSON object on standard error) and \`--help\`. Flags are written \`--name value\` or \`--name=value\`; SPIRE's spellings, where given, with one dash or two. Durations are written \`90s\`, \`15m\`, \`1h30m\`, \`7d\`, or as a number of seconds. The configuration files have [a page of their own](config/README.md).

Sockets are looked for in this order: the flag, the variable (\`BONAFIDE_SERVER_SOCKET\`, \`BONAFIDE_AGENT_SOCKET\`, \`SPIFFE_ENDPOINT_SOCKET\`), those of a \`bonafide up\` in this folder or the nearest above it (a data folder and sockets of your own that nobody else may write; as another user, give the flag), those of the system.

## Exit codes

| code | means |
| --- | --- |
| 0 | done, or the answer is yes |
| 1 | the answer is no: refused, unhealthy, held, not found, faults found |
| 64 | the command line is wrong |
| 65 | input is wrong: an ID, a bundle, a token |
| 69 | a server, an agent or an address is not there |
| 70 | a fault of ours; please report it |
| 73 | a file cannot be written |
| 75 | busy or locked; the same may succeed later |
| 77 | not permitted |
| 78 | the configuration is wrong |

\`bonafide exec\` ends with the program's own code, with 128 and the number of the signal that ended it, with 127 if there is no such program and 126 if it may not be run.
`;

/** The page `docs/cli.md`, out of the commands, and how many commands it describes. */
export async function renderCliPage(): Promise<{
  readonly text: string;
  readonly commands: number;
}> {
  const sections: string[] = [];
  for (const { load } of COMMANDS) {
    const { name, summary, usage = "[flags]", flags, examples } = await load();
    const rows = Object.entries<FlagSpec>(flags).map(
      ([flag, spec]) => `| \`${flagShape(flag, spec)}\` | ${flagText(spec)} |`,
    );
    sections.push(
      [
        `## bonafide ${name}`,
        "",
        `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
        "",
        "```",
        `bonafide ${name} ${usage}`,
        "```",
        ...(rows.length === 0 ? [] : ["", "| flag | meaning |", "| --- | --- |", ...rows]),
        "",
        "```sh",
        ...examples,
        "```",
      ].join("\n"),
    );
  }
  const text = `${HEAD}\n${sections.join("\n\n")}\n\n${verbTable()}`;
  return { text, commands: sections.length };
}

/** Each verb of SPIRE's with what is typed here. */
function verbTable(): string {
  const names = new Set(COMMANDS.map(({ name }) => name));
  const rows = SPIRE_VERBS.map(({ program, verb, ours, instead }) => {
    const here =
      ours !== undefined && names.has(ours) ? `\`bonafide ${ours}\`` : (instead ?? "not yet");
    return `| \`${program} ${verb}\` | ${here} |`;
  });
  return [
    "## Verbs of SPIRE",
    "",
    "Whoever types one that is spelt otherwise here is told so. Flags of SPIRE's that mean the same are taken in its spelling, and `-output json` for `--json`.",
    "",
    "| there | here |",
    "| --- | --- |",
    ...rows,
    "",
  ].join("\n");
}
