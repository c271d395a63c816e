import {
  actionOf,
  graphOfFolder,
  nameOf,
  readAction,
  readCaller,
  readResource,
} from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import { accessJson, conditionText, policiesText } from "../authz/access-text.ts";
import { FOLDER_FLAG, openFolder } from "../authz/open-folder.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz can` */
export const authzCan: Command = defineCommand({
  name: "authz can",
  summary: "says whether somebody may do something, and by which policies",
  usage: "WHO ACTION WHAT [flags]",
  flags: FOLDER_FLAG,
  operands: { min: 3, max: 3 },
  examples: [
    "bonafide authz can spiffe://example.org/ns/shop/checkout http.POST payments/v1/refunds/{id}",
    "bonafide authz can shop/checkout POST payments/v1/refunds/7",
    "bonafide authz can user:alice db.select table:payments/entries",
  ],
  async run({ flags, operands, output }) {
    const [who = "", action = "", what = ""] = operands;
    const folder = await openFolder(flags.folder);
    const name = readAction(action);
    const principal = readCaller(who, folder.model);
    const { resource, isDeclared } = readResource(what, name, folder.model);
    const access = graphOfFolder(folder).can(principal, actionOf(name), resource);
    const answer = { allow: "yes", deny: "no", conditional: "it depends" }[access.kind];
    const verb = access.kind === "deny" ? "may not" : "may";
    const only = conditionText(access.conditions);
    const lines = [
      `${answer}: ${nameOf(principal)} ${verb} ${name} ${nameOf(resource)}${only}`,
      ...(isDeclared
        ? []
        : [`  ${what} is not declared; only what permits the service reaches it`]),
      ...policiesText(access.policies, folder.policies).map((text) => `  by ${text}`),
      ...(access.kind === "deny" && access.policies.length === 0 ? ["  nothing permits it"] : []),
    ];
    output.result(lines.join("\n"), {
      principal: nameOf(principal),
      action: name,
      resource: nameOf(resource),
      declared: isDeclared,
      ...accessJson(access),
    });
    return access.kind === "allow" ? EXIT.ok : EXIT.no;
  },
});
