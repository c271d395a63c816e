import {
  type AnnotatedChange,
  checkFolder,
  compareFolders,
  type DataPath,
  type Folder,
  type FolderDiff,
  isMoreAccess,
  nameOf,
  renderDiff,
  renderPullRequest,
  shadowDiff,
} from "@bonafide/authz";
import { type Command, type CommandContext, defineCommand } from "../arguments/command.ts";
import { usage } from "../arguments/parse-flags.ts";
import { accessJson } from "../authz/access-text.ts";
import { loadCedarTools } from "../authz/cedar-tools.ts";
import { readRevision } from "../authz/git-files.ts";
import { FOLDER_FLAG, folderOf, openFolder, usable } from "../authz/open-folder.ts";
import { EXIT } from "../exit-codes.ts";

/** `bonafide authz diff` */
export const authzDiff: Command = defineCommand({
  name: "authz diff",
  summary: "shows the access gained and lost between two revisions of an access model",
  usage: "[BASE [HEAD]] [flags]",
  flags: {
    ...FOLDER_FLAG,
    format: { kind: "string", help: "text, or pr for a pull request", standard: "text" },
    shadow: { kind: "boolean", help: "what the shadow policies would change, instead" },
    "no-new-access": { kind: "boolean", help: "exit 1 if anything is gained or loosened" },
  },
  operands: { min: 0, max: 2 },
  examples: [
    "bonafide authz diff",
    "bonafide authz diff main",
    "bonafide authz diff v1.0 v1.1 --format pr",
    "bonafide authz diff main --no-new-access",
  ],
  async run(context) {
    const { flags, operands, output } = context;
    const format = flags.format ?? "text";
    if (format !== "text" && format !== "pr") throw usage("--format is text or pr");
    if (flags.shadow && operands.length > 0) throw usage("--shadow compares no revisions");
    const folder = folderOf(flags.folder);
    const diff = flags.shadow
      ? shadowDiff(await openFolder(folder))
      : await revisionDiff(folder, operands, context);
    const text = format === "pr" ? renderPullRequest(diff) : renderDiff(diff);
    output.result(text, diffJson(diff));
    return flags["no-new-access"] && isMoreAccess(diff) ? EXIT.no : EXIT.ok;
  },
});

/** BASE is HEAD unless it is given; without HEAD, it is compared with the files as they are. */
async function revisionDiff(
  folder: string,
  [base = "HEAD", head]: readonly string[],
  context: Pick<CommandContext, "env" | "signal">,
): Promise<FolderDiff> {
  const before = await folderAt(folder, base, context);
  const after =
    head === undefined ? await openFolder(folder) : await folderAt(folder, head, context);
  if (after === undefined) throw usage(`${folder} is not in ${String(head)}`);
  return compareFolders(before, after);
}

/** `undefined` if the folder was not there. */
async function folderAt(
  folder: string,
  revision: string,
  options: Pick<CommandContext, "env" | "signal">,
): Promise<Folder | undefined> {
  const { files } = await readRevision(folder, revision, options);
  if (files.size === 0) return undefined;
  return usable(checkFolder(files, await loadCedarTools()), `${revision}:${folder}`);
}

function diffJson(diff: FolderDiff): Readonly<Record<string, unknown>> {
  const { changes, newPaths, lostPaths, subjects, latent, declassified } = diff;
  const of = (kind: AnnotatedChange["kind"]): readonly unknown[] =>
    changes.filter((change) => change.kind === kind).map(changeJson);
  return {
    gained: of("gained"),
    changed: of("changed"),
    lost: of("lost"),
    newPaths: newPaths.map(pathJson),
    lostPaths: lostPaths.map(pathJson),
    subjects: subjects.map(({ route, before, after, isLoosened }) => ({
      route,
      before,
      after,
      loosened: isLoosened,
    })),
    latent,
    declassified,
  };
}

function changeJson(change: AnnotatedChange): Readonly<Record<string, unknown>> {
  return {
    principals: change.principals.map(nameOf),
    action: change.action.id,
    resource: nameOf(change.resource),
    data: change.data,
    before: accessJson(change.before),
    after: accessJson(change.after),
  };
}

function pathJson({ hops, data }: DataPath): Readonly<Record<string, unknown>> {
  return {
    data,
    hops: hops.map(({ principal, action, resource, access }) => ({
      principal: nameOf(principal),
      action: action.id,
      resource: nameOf(resource),
      ...accessJson(access),
    })),
  };
}
