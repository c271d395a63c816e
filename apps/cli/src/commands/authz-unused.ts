import { graphOfFolder, unusedPermits } from "@bonafide/authz";
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

/** `bonafide authz unused` */
export const authzUnused: Command = defineCommand({
  name: "authz unused",
  summary: "lists permits that an access log shows no use of",
  flags: { ...FOLDER_FLAG, ...LOG_FLAGS },
  examples: ["bonafide authz unused --log access.jsonl --since 90d"],
  async run({ flags, output, machine }) {
    const folder = await openFolder(flags.folder);
    const log = openLog(flags.log, { sinceMs: flags.since, now: machine.clock.now() });
    const found = unusedPermits(folder, graphOfFolder(folder), log.edges);
    const undeclared = undeclaredLines(log);
    const lines = [
      spanText(log),
      ...found.map(({ policyId, file, line, actions, isUnused }) =>
        isUnused
          ? `${file}:${line}: ${policyId} was never used`
          : `${file}:${line}: ${policyId}: nobody used ${actions.join(", ")}`,
      ),
      ...(found.length === 0 ? ["every permit was used"] : []),
      ...(undeclared.length === 0 ? [] : ["calls to paths that are not declared:", ...undeclared]),
    ];
    output.result(lines.join("\n"), {
      firstAt: log.firstAt ?? null,
      lastAt: log.lastAt ?? null,
      permits: found,
      undeclared: undeclaredJson(log),
    });
    return found.length === 0 ? EXIT.ok : EXIT.no;
  },
});
