import { graphOfFolder, type NotSuggested, type Suggestion, suggestPermits } from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import {
  LOG_FLAGS,
  openLog,
  spanText,
  undeclaredJson,
  undeclaredLines,
} from "../authz/log-flags.ts";
import { FOLDER_FLAG, openFolder } from "../authz/open-folder.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz suggest` */
export const authzSuggest: Command = defineCommand({
  name: "authz suggest",
  summary: "suggests permits for calls that an access log shows as denied",
  flags: {
    ...FOLDER_FLAG,
    ...LOG_FLAGS,
    to: { kind: "string", help: "only for this service", placeholder: "SERVICE" },
  },
  examples: [
    "bonafide authz suggest --log access.jsonl",
    "bonafide authz suggest --log access.jsonl --since 14d --to payments --json",
  ],
  async run({ flags, output, machine }) {
    const folder = await openFolder(flags.folder);
    const log = openLog(flags.log, { sinceMs: flags.since, now: machine.clock.now() });
    const edges = log.edges.filter(
      ({ resource }) => flags.to === undefined || resource.id.split("/")[0] === flags.to,
    );
    const { suggestions, rest } = suggestPermits(folder, graphOfFolder(folder), edges);
    const undeclared = undeclaredLines(log);
    const lines = [
      spanText(log),
      ...(suggestions.length === 0 ? ["nothing to permit"] : suggestions.flatMap(suggestionLines)),
      ...(rest.length === 0 ? [] : ["no permit is the answer to:", ...rest.map(restLine)]),
      ...(undeclared.length === 0 ? [] : ["calls to paths that are not declared:", ...undeclared]),
    ];
    output.result(lines.join("\n"), {
      firstAt: log.firstAt ?? null,
      lastAt: log.lastAt ?? null,
      suggestions,
      rest,
      undeclared: undeclaredJson(log),
      unresolved: log.unresolved,
    });
    return suggestions.length === 0 ? EXIT.no : EXIT.ok;
  },
});

/** A permit in the short form for each caller; what is wider comes as a remark. */
function suggestionLines({
  team,
  to,
  actions,
  from,
  count,
  instead,
}: Suggestion): readonly string[] {
  return [
    `${count} denied; in teams/${team}/policies/:`,
    ...from.map(
      (caller) => `  - { from: "${caller}", to: "${to}", actions: [${actions.join(", ")}] }`,
    ),
    ...instead.map(({ from: wider, alsoAllows }) => {
      const others = alsoAllows.length === 0 ? "nobody else" : alsoAllows.join(", ");
      return `  or from: "${wider}", which also lets in ${others}`;
    }),
  ];
}

function restLine({ caller, action, resource, count, why }: NotSuggested): string {
  return `  ${count} by ${caller}: ${action} ${resource}: ${why}`;
}
