import { createHash } from "node:crypto";
import { existsSync, realpathSync, rmdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { BonafideError } from "@bonafide/errors";
import { CLI_ERRORS } from "../errors.ts";
import { makeFoldersAbove, makeOwnedFolder } from "./owned-folder.ts";

/** The folder that `up` keeps its state in, locked against a second run. */
export interface DataDir {
  /** Absolute, without links. */
  readonly path: string;
  /** Short folder for sockets, outside of it; kernel paths of sockets end at 107 bytes. */
  readonly socketDir: string;
  /** Gives the lock back. Idempotent. */
  release(): void;
}

/**
 * Makes or takes a data folder: 0700, with a `.gitignore` of its own, locked.
 *
 * @throws DATA_DIR_UNSAFE  see {@link makeOwnedFolder}
 * @throws DATA_DIR_LOCKED  another `up` runs on it
 */
export function openDataDir(
  given: string,
  env: Readonly<Record<string, string | undefined>>,
): DataDir {
  const wanted = resolve(given);
  makeFoldersAbove(wanted);
  makeOwnedFolder(wanted, 0o700);
  const path = realpathSync(wanted);
  const ignore = join(path, ".gitignore");
  if (!existsSync(ignore)) writeFileSync(ignore, "*\n", { mode: 0o600 });
  const lock = takeLock(path);
  try {
    const socketDir = makeSocketDir(path, env);
    return {
      path,
      socketDir,
      release: () => {
        removeEmpty(socketDir);
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Clears the socket folder away, unless something is in it that we did not put there. */
function removeEmpty(socketDir: string): void {
  for (const path of [join(socketDir, "server"), join(socketDir, "agent"), socketDir]) {
    try {
      rmdirSync(path);
    } catch {
      // Not empty, or gone already: both are well.
    }
  }
}

/** The kernel drops the lock with the process, however it ends, so there is no stale one to judge. */
function takeLock(path: string): { release(): void } {
  const database = new DatabaseSync(join(path, "up.lock"));
  try {
    database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    throw new BonafideError(CLI_ERRORS, "DATA_DIR_LOCKED", `another bonafide up runs on ${path}`, {
      cause,
      details: { next: "stop it with Ctrl-C there, or give --data-dir another folder" },
    });
  }
  let held = true;
  return {
    release: () => {
      if (held) database.close();
      held = false;
    },
  };
}

/** One short folder per data folder: `/run` for root, the user's runtime folder, else `/tmp` with the uid in its name. */
function makeSocketDir(path: string, env: Readonly<Record<string, string | undefined>>): string {
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 8);
  const uid = process.getuid?.() ?? 0;
  const runtime = env["XDG_RUNTIME_DIR"];
  const folder =
    uid === 0
      ? `/run/bonafide-${hash}`
      : runtime !== undefined && runtime.length < 64 && existsSync(runtime)
        ? join(runtime, `bonafide-${hash}`)
        : `/tmp/bonafide-${uid}-${hash}`;
  makeOwnedFolder(folder, 0o755);
  return folder;
}
