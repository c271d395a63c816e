import { existsSync, lstatSync, mkdirSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { BonafideError } from "@bonafide/errors";
import { CLI_ERRORS } from "../errors.ts";

/**
 * Makes a folder, or takes an existing one only if it is a real folder of ours with no more rights than asked for.
 *
 * @param mode  Rights of a new folder; an old one with others is refused, never changed behind its owner's back.
 * @throws DATA_DIR_UNSAFE  a link, no folder, another owner, or wider rights
 */
export function makeOwnedFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
    return;
  } catch (cause) {
    if (!isCode(cause, "EEXIST")) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new BonafideError(CLI_ERRORS, "DATA_DIR_UNSAFE", `cannot make ${path}: ${why}`, {
        cause,
      });
    }
  }
  // lstat and not stat: in a folder that others may write, a link could lead our files elsewhere.
  const fault = folderFault(lstatSync(path), mode);
  if (fault !== undefined) {
    throw new BonafideError(CLI_ERRORS, "DATA_DIR_UNSAFE", `${path} ${fault}`);
  }
}

/**
 * Makes the folders above a path, one by one: where a file system refuses them in its own way, as procfs does, Node's
 * recursive way tries for ever.
 *
 * @throws DATA_DIR_UNSAFE  one of them cannot be made
 */
export function makeFoldersAbove(path: string): void {
  const above = dirname(path);
  if (existsSync(above)) return;
  makeFoldersAbove(above);
  try {
    mkdirSync(above);
  } catch (cause) {
    if (isCode(cause, "EEXIST")) return;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BonafideError(CLI_ERRORS, "DATA_DIR_UNSAFE", `cannot make ${above}: ${why}`, {
      cause,
    });
  }
}

function folderFault(stats: Stats, mode: number): string | undefined {
  if (stats.isSymbolicLink()) return "is a link; give the folder itself";
  if (!stats.isDirectory()) return "is not a folder";
  if (stats.uid !== process.getuid?.()) return `belongs to uid ${stats.uid}, not to the caller`;
  const extra = stats.mode & 0o777 & ~mode;
  return extra === 0 ? undefined : `is open to others; chmod ${mode.toString(8)} it first`;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
