import { graphOfFolder, nameOf, reach, reachablesOf, readCaller } from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import { accessJson, conditionText } from "../authz/access-text.ts";
import { FOLDER_FLAG, openFolder } from "../authz/open-folder.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz reach` */
export const authzReach: Command = defineCommand({
  name: "authz reach",
  summary: "lists everything that somebody may do",
  usage: "WHO [flags]",
  flags: FOLDER_FLAG,
  operands: { min: 1, max: 1 },
  examples: ["bonafide authz reach shop/checkout", "bonafide authz reach user:alice --json"],
  async run({ flags, operands, output }) {
    const folder = await openFolder(flags.folder);
    const principal = readCaller(operands[0] ?? "", folder.model);
    const found = reach(graphOfFolder(folder), principal, reachablesOf(folder.model));
    const lines = found.map(
      ({ action, resource, access }) =>
        `${action.id} ${nameOf(resource)}${conditionText(access.conditions)}`,
    );
    output.result(lines.length === 0 ? "nothing" : lines.join("\n"), {
      principal: nameOf(principal),
      reaches: found.map(({ action, resource, access }) => ({
        action: action.id,
        resource: nameOf(resource),
        ...accessJson(access),
      })),
    });
    return found.length === 0 ? EXIT.no : EXIT.ok;
  },
});
