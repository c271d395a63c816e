import { accessSync, constants, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { BonafideError } from "@bonafide/errors";
import { LAUNCHER_ERRORS } from "./errors.ts";

/**
 * The file that a command names, as a shell would find it.
 *
 * @param searchPath  Value of PATH.
 * @throws LAUNCH_COMMAND_NOT_FOUND       no such file
 * @throws LAUNCH_COMMAND_NOT_EXECUTABLE  a folder, or not executable for this user
 */
export function findProgram(command: string, searchPath: string | undefined): string {
  const isPath = command.includes("/");
  const candidates = isPath
    ? [command]
    : (searchPath ?? "/usr/bin:/bin").split(":").map((folder) => join(folder || ".", command));
  let exists = false;
  for (const file of candidates) {
    const found = look(file);
    if (found === "absent") continue;
    if (found === "closed") {
      // A folder of PATH that is another user's, such as the root's who started this, says nothing about the command.
      exists ||= isPath;
      continue;
    }
    exists = true;
    if (found.isFile() && isExecutable(file)) return file;
  }
  throw exists
    ? new BonafideError(
        LAUNCHER_ERRORS,
        "LAUNCH_COMMAND_NOT_EXECUTABLE",
        `${command} cannot be executed by this user`,
      )
    : new BonafideError(LAUNCHER_ERRORS, "LAUNCH_COMMAND_NOT_FOUND", `${command} is not found`);
}

function look(file: string): Stats | "absent" | "closed" {
  try {
    return statSync(file, { throwIfNoEntry: false }) ?? "absent";
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EACCES"
      ? "closed"
      : "absent";
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
