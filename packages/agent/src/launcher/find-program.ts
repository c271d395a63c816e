import { accessSync, constants, statSync } from "node:fs";
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
  const candidates = command.includes("/")
    ? [command]
    : (searchPath ?? "/usr/bin:/bin").split(":").map((folder) => join(folder || ".", command));
  let exists = false;
  for (const file of candidates) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) continue;
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

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
