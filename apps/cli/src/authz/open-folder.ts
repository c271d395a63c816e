import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkFolder, type Finding, type Folder, type ReadFolder } from "@bonafide/authz";
import { BonafideError } from "@bonafide/errors";
import { CLI_ERRORS } from "../errors.ts";
import { loadCedarTools } from "./cedar-tools.ts";
import { readFiles } from "./read-files.ts";

/** Where the access model lies; for every command about it. */
export const FOLDER_FLAG = {
  folder: {
    kind: "string",
    help: "the access model, with org.yaml at its top",
    placeholder: "DIR",
    standard: ". if it has an org.yaml, else authz",
  },
} as const;

/** The folder that a command works on. */
export function folderOf(flag: string | undefined): string {
  return flag ?? (existsSync("org.yaml") ? "." : "authz");
}

/** Reads and checks a folder. @throws FILE_UNREADABLE */
export async function readAndCheck(folder: string): Promise<ReadFolder> {
  return checkFolder(readFiles(folder), await loadCedarTools());
}

/**
 * Opens a folder to answer from it.
 *
 * @throws FILE_UNREADABLE
 * @throws AUTHZ_FOLDER_REFUSED  it has findings; the first is in the message
 */
export async function openFolder(flag: string | undefined): Promise<Folder> {
  const folder = folderOf(flag);
  return usable(await readAndCheck(folder), folder);
}

/** A folder that may be used. @throws AUTHZ_FOLDER_REFUSED  as {@link openFolder} */
export function usable({ folder, findings }: ReadFolder, name: string): Folder {
  const [first] = findings;
  if (first === undefined) return folder;
  const count = findings.length === 1 ? "a finding" : `${findings.length} findings, the first`;
  const message = `${name} has ${count}: ${findingText(first, name)}`;
  const details = { next: `bonafide authz check --folder ${name}` };
  throw new BonafideError(CLI_ERRORS, "AUTHZ_FOLDER_REFUSED", message, { details });
}

/** A finding as compilers print them: file, line, rule, reason. */
export function findingText(finding: Finding, folder: string): string {
  return `${placeText(finding, folder)}: ${finding.rule}: ${finding.reason}`;
}

/** Where something stands, as editors follow it. */
export function placeText({ file, line }: Pick<Finding, "file" | "line">, folder: string): string {
  return `${join(folder, file)}:${line}`;
}
