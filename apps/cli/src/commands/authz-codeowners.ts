import { codeowners } from "@bonafide/authz";
import { type Command, defineCommand } from "../arguments/command.ts";
import { FOLDER_FLAG, openFolder } from "../authz/open-folder.ts";
import { readText } from "../authz/read-files.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz codeowners` */
export const authzCodeowners: Command = defineCommand({
  name: "authz codeowners",
  summary: "prints the CODEOWNERS file of an access model, or compares it with one",
  flags: {
    ...FOLDER_FLAG,
    prefix: {
      kind: "string",
      help: "where the folder lies in its repository",
      placeholder: "PATH",
      standard: "the top",
    },
    check: {
      kind: "string",
      help: "compare instead: every line has to stand in this file",
      placeholder: "FILE",
    },
  },
  examples: [
    "bonafide authz codeowners --prefix authz > .github/CODEOWNERS",
    "bonafide authz codeowners --prefix authz --check .github/CODEOWNERS",
  ],
  async run({ flags, output }) {
    const { org } = await openFolder(flags.folder);
    const text = codeowners(org, flags.prefix === undefined ? {} : { prefix: flags.prefix });
    const wanted = text.trimEnd().split("\n");
    if (flags.check === undefined) {
      output.result(wanted.join("\n"), { lines: wanted });
      return EXIT.ok;
    }
    const lines = new Set(
      readText(flags.check)
        .split("\n")
        .map((line) => line.trim()),
    );
    const missing = wanted.filter((line) => !lines.has(line));
    output.result(
      missing.length === 0
        ? `${flags.check} has all ${wanted.length} lines`
        : missing.map((line) => `${flags.check}: R8: lacks the line ${line}`).join("\n"),
      { missing },
    );
    return missing.length === 0 ? EXIT.ok : EXIT.no;
  },
});
