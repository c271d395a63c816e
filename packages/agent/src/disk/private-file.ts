import { randomBytes } from "node:crypto";
import { open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { BonafideError } from "@bonafide/errors";
import { AGENT_ERRORS } from "../errors.ts";
import { STATE_FILE_BYTES_MAX } from "../limits.ts";

/** Names of files that are not yet renamed. */
const UNFINISHED = /\.[0-9a-f]{12}\.new$/;

/**
 * Replaces a file as a whole: after a crash at any moment either the old or the new bytes are there.
 *
 * @throws AGENT_STATE_UNAVAILABLE
 */
export async function writePrivateFile(path: string, bytes: Uint8Array): Promise<void> {
  const fresh = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    const file = await open(fresh, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(fresh, { force: true }).catch(() => {});
    throw unavailable("written", path, cause);
  }
}

/**
 * Reads a file of ours; undefined when there is none.
 *
 * @throws AGENT_STATE_INVALID      too large, others may read or write it, or it belongs to another user
 * @throws AGENT_STATE_UNAVAILABLE
 */
export async function readPrivateFile(
  path: string,
  { bytesMax = STATE_FILE_BYTES_MAX }: { readonly bytesMax?: number } = {},
): Promise<Uint8Array | undefined> {
  let file;
  try {
    file = await open(path, "r");
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw unavailable("read", path, cause);
  }
  try {
    const { mode, uid, size } = await file.stat();
    const own = process.geteuid?.();
    if ((mode & 0o077) !== 0 || (own !== undefined && uid !== own && uid !== 0)) {
      throw new BonafideError(
        AGENT_ERRORS,
        "AGENT_STATE_INVALID",
        `${path} must be readable to the agent's user only`,
        { details: { path, mode: (mode & 0o777).toString(8), uid: String(uid) } },
      );
    }
    if (size > bytesMax) {
      throw new BonafideError(AGENT_ERRORS, "AGENT_STATE_INVALID", `${path} is too large`);
    }
    return new Uint8Array(await file.readFile());
  } finally {
    await file.close();
  }
}

/** Removes a file for good; one that is not there is fine. @throws AGENT_STATE_UNAVAILABLE */
export async function removePrivateFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
    await syncFolder(dirname(path));
  } catch (cause) {
    throw unavailable("removed", path, cause);
  }
}

/**
 * Removes what a killed process had begun to write; it may hold a key. Only while no other process writes there.
 *
 * @throws AGENT_STATE_UNAVAILABLE
 */
export async function removeUnfinished(folder: string): Promise<void> {
  try {
    for (const name of await readdir(folder)) {
      if (UNFINISHED.test(name)) await rm(join(folder, name), { force: true });
    }
  } catch (cause) {
    throw unavailable("cleaned", folder, cause);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unavailable(verb: string, path: string, cause: unknown): BonafideError {
  return new BonafideError(
    AGENT_ERRORS,
    "AGENT_STATE_UNAVAILABLE",
    `${path} cannot be ${verb}: ${codeOf(cause) ?? "unknown error"}`,
    { cause, details: { path } },
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}
