import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

interface CausesModule {
  readonly RUNGS: readonly string[];
  readonly CAUSES: Readonly<Record<string, { readonly rung: number; readonly summary: string }>>;
}

const HEAD = `# Why was I refused?

\`bonafide why --pid N\` looks at a process that runs, \`bonafide why DECISION-ID\` at a refusal that happened; both ask the agent's admin socket, so both are for operators. A workload that asks for itself (\`bonafide whoami\`) sees only what was observed about it.

The answer walks a ladder. The lowest broken step is the first cause; it comes with what was observed, the nearest entries and the command that mends it. Codes are stable: scripts may match them.

Written by \`npm run docs\` from the agent's table.
`;

/** Writes the page of causes from the module that has the agent's table. */
export async function renderWhy(path: string): Promise<string> {
  const loaded: unknown = await import(pathToFileURL(resolve(path)).href);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own module, typed where it stands
  const { RUNGS, CAUSES } = loaded as CausesModule;
  const sections = RUNGS.map((title, at) => {
    const rows = Object.entries(CAUSES)
      .filter(([, { rung }]) => rung === at + 1)
      .map(([code, { summary }]) => `| \`${code}\` | ${summary} |`);
    return `\n## ${at + 1}. ${title}\n\n| cause | means |\n|---|---|\n${rows.join("\n")}\n`;
  });
  return HEAD + sections.join("");
}
