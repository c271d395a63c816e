import { open } from "node:fs/promises";
import type { Log } from "@bonafide/lifetime";
import { parseUidOwners, type UidOwners } from "../core/subordinate-uids.ts";
import { UID_FILE_BYTES_MAX } from "../limits.ts";

/** Paths of {@link readUidOwners}. */
export interface UidFiles {
  /** Default `/etc/subuid`. */
  readonly subuidPath?: string;
  /** Default `/etc/passwd`. */
  readonly passwdPath?: string;
}

/**
 * Reads once which account each subordinate uid belongs to. Without the files, or if they are too large, each uid answers
 * for itself; the overall bounds hold regardless.
 */
export async function readUidOwners(log: Log, files: UidFiles = {}): Promise<UidOwners> {
  const { subuidPath = "/etc/subuid", passwdPath = "/etc/passwd" } = files;
  const read = async (path: string): Promise<string> => {
    try {
      await using file = await open(path, "r");
      const { size } = await file.stat();
      if (size <= UID_FILE_BYTES_MAX) return await file.readFile("utf8");
      log({ level: "warn", event: "uids.not_read", fields: { path, bytes: size } });
    } catch (error) {
      const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!isMissing) log({ level: "warn", event: "uids.not_read", fields: { path }, error });
    }
    return "";
  };
  return parseUidOwners(await read(subuidPath), await read(passwdPath));
}
