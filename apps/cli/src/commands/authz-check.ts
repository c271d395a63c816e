import { type Folder, folderWarnings } from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import {
  findingText,
  FOLDER_FLAG,
  folderOf,
  placeText,
  readAndCheck,
} from "../authz/open-folder.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz check` */
export const authzCheck: Command = defineCommand({
  name: "authz check",
  summary: "checks an access model: files, rules of ownership, schema",
  flags: FOLDER_FLAG,
  examples: ["bonafide authz check", "bonafide authz check --folder authz --json"],
  async run({ flags, output, machine }) {
    const name = folderOf(flags.folder);
    const { folder, findings } = await readAndCheck(name);
    const isSound = findings.length === 0;
    const warnings = isSound ? folderWarnings(folder, { now: machine.clock.now() }) : [];
    output.result(
      isSound
        ? [
            ...warnings.map((one) => `warning: ${placeText(one, name)}: ${one.reason}`),
            `sound: ${countsText(folder)}`,
          ].join("\n")
        : findings.map((finding) => findingText(finding, name)).join("\n"),
      { sound: isSound, findings, warnings, ...countsOf(folder) },
    );
    return isSound ? EXIT.ok : EXIT.no;
  },
});

function countsOf({ org, model, policies }: Folder): Readonly<Record<string, number>> {
  return {
    teams: org.teams.size,
    services: model.services.length,
    routes: model.services.reduce((sum, { routes }) => sum + routes.length, 0),
    policies: policies.filter(({ shadow, team }) => !shadow && team !== undefined).length,
    guardrails: policies.filter(({ team }) => team === undefined).length,
    shadowPolicies: policies.filter(({ shadow }) => shadow).length,
    workloads: model.workloads.length,
  };
}

function countsText(folder: Folder): string {
  const { shadowPolicies = 0, ...counts } = countsOf(folder);
  const parts = Object.entries(counts).map(([what, count]) => counted(count, what));
  return [...parts, ...(shadowPolicies === 0 ? [] : [`${shadowPolicies} in shadow`])].join(", ");
}

function counted(count: number, plural: string): string {
  const one = plural === "policies" ? "policy" : plural.slice(0, -1);
  return `${count} ${count === 1 ? one : plural}`;
}
