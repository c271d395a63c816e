import {
  actionOf,
  graphOfFolder,
  nameOf,
  readAction,
  readResource,
  unlistedCallers,
  whoCan,
  worthShowing,
} from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import { accessJson, callersText, conditionText } from "../authz/access-text.ts";
import { FOLDER_FLAG, openFolder } from "../authz/open-folder.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz who-can` */
export const authzWhoCan: Command = defineCommand({
  name: "authz who-can",
  summary: "lists everybody who may do something",
  usage: "ACTION WHAT [flags]",
  flags: FOLDER_FLAG,
  operands: { min: 2, max: 2 },
  examples: [
    "bonafide authz who-can http.POST payments/v1/refunds/{id}",
    "bonafide authz who-can db.select table:payments/entries --json",
  ],
  async run({ flags, operands, output }) {
    const [action = "", what = ""] = operands;
    const folder = await openFolder(flags.folder);
    const name = readAction(action);
    const { resource, isDeclared } = readResource(what, name, folder.model);
    const graph = graphOfFolder(folder, { unlisted: unlistedCallers([folder]) });
    const all = whoCan(graph, actionOf(name), resource);
    const able = new Set(all.flatMap(({ principals }) => principals.map(({ key }) => key)));
    const found = all.flatMap(({ principals, access }) => {
      const shown = worthShowing(principals, [folder.model], ({ key }) => able.has(key));
      return shown.length === 0 ? [] : [{ principals: shown, access }];
    });
    const lines = found.map(
      ({ principals, access }) => `${callersText(principals)}${conditionText(access.conditions)}`,
    );
    output.result(lines.length === 0 ? "nobody" : lines.join("\n"), {
      action: name,
      resource: nameOf(resource),
      declared: isDeclared,
      callers: found.flatMap(({ principals, access }) =>
        principals.map((uid) => ({ principal: nameOf(uid), ...accessJson(access) })),
      ),
    });
    return found.length === 0 ? EXIT.no : EXIT.ok;
  },
});
