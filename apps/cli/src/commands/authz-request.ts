import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type AccessRequest,
  checkFolder,
  compareFolders,
  nameOf,
  proposeAccess,
  readCaller,
  renderDiff,
} from "@bonafide/authz";
import { BonafideError } from "@bonafide/errors";
import { type Command, defineCommand } from "../arguments/command.ts";
import { loadCedarTools } from "../authz/cedar-tools.ts";
import { FOLDER_FLAG, folderOf, openFolder, usable } from "../authz/open-folder.ts";
import { CLI_ERRORS } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz request` */
export const authzRequest: Command = defineCommand({
  name: "authz request",
  summary: "asks for access: writes a permit into the owner's folder, for review",
  usage: "WHAT --from WHO --action ACTION --reason TEXT --by NAME [flags]",
  flags: {
    ...FOLDER_FLAG,
    from: {
      kind: "string",
      help: "who would call: as in can, or team:NAME, group:NAME, a prefix with /*",
      placeholder: "WHO",
      required: true,
    },
    action: { kind: "string", help: "what it would do", repeated: true },
    reason: { kind: "string", help: "why, for those who review it", required: true },
    by: { kind: "string", help: "who asks, as the git host knows them", required: true },
    expires: { kind: "string", help: "until when, as in 2027-01-01", placeholder: "DATE" },
    "dry-run": { kind: "boolean", help: "write nothing" },
  },
  operands: { min: 1, max: 1 },
  examples: [
    'bonafide authz request payments/v1/refunds/{id} --from shop/checkout --action GET --reason "The receipt shows refunds" --by @alice',
  ],
  async run({ flags, operands, output }) {
    const name = folderOf(flags.folder);
    const before = await openFolder(name);
    const { action: actions, reason, by: requestedBy, expires } = flags;
    const ask: AccessRequest = {
      from: /^(?:team|group):|\/\*$/.test(flags.from)
        ? flags.from
        : nameOf(readCaller(flags.from, before.model)),
      to: operands[0] ?? "",
      actions,
      reason,
      requestedBy,
      ...(expires === undefined ? {} : { expires }),
    };
    const { team, policyId, reviewers, files } = proposeAccess(before, ask);
    const proposed = new Map([...before.files, ...files]);
    const after = usable(checkFolder(proposed, await loadCedarTools()), name);
    const diff = compareFolders(before, after);
    const isNews = diff.changes.some(({ kind }) => kind !== "lost");
    const paths = [...files.keys()].map((path) => join(name, path));
    if (isNews && !flags["dry-run"]) {
      for (const [path, text] of files) writeNew(join(name, path), text);
    }
    const verb = flags["dry-run"] ? "would write" : "wrote";
    const lines = isNews
      ? [
          ...paths.map((path) => `${verb} ${path}`),
          renderDiff(diff),
          `to review: ${reviewers.join(", ")}`,
        ]
      : [
          "nothing to ask for: that access is there, or a guardrail forbids it whatever is permitted",
        ];
    output.result(lines.join("\n"), {
      asked: isNews,
      team,
      policyId,
      reviewers,
      files: isNews ? paths : [],
    });
    return isNews ? EXIT.ok : EXIT.no;
  },
});

/** Never over a file that is there. */
function writeNew(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: "wx" });
  } catch (cause) {
    throw new BonafideError(CLI_ERRORS, "OUTPUT_UNWRITABLE", `cannot write ${path}`, { cause });
  }
}
