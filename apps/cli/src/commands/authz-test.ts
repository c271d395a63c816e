import { join } from "node:path";
import { runFolderTests } from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import { FOLDER_FLAG, folderOf, openFolder } from "../authz/open-folder.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz test` */
export const authzTest: Command = defineCommand({
  name: "authz test",
  summary: "runs the decision tests and invariants of an access model",
  flags: FOLDER_FLAG,
  examples: ["bonafide authz test", "bonafide authz test --folder authz --json"],
  async run({ flags, output, machine }) {
    const folder = folderOf(flags.folder);
    const outcomes = runFolderTests(await openFolder(folder), { now: machine.clock.now() });
    const failed = outcomes.filter(({ fault }) => fault !== undefined);
    const lines = failed.flatMap(({ file, line, name, fault }) => [
      `${join(folder, file)}:${line}: ${name}`,
      `  but: ${fault ?? ""}`,
    ]);
    const passed = outcomes.length - failed.length;
    const isGood = failed.length === 0 && passed > 0;
    // No test at all is no proof of anything.
    const sum = outcomes.length === 0 ? "no tests" : `${passed} passed, ${failed.length} failed`;
    output.result([...lines, sum].join("\n"), {
      passed,
      failed: failed.length,
      tests: outcomes.map(({ fault, ...outcome }) => ({ ...outcome, fault: fault ?? null })),
    });
    return isGood ? EXIT.ok : EXIT.no;
  },
});
