import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import process from "node:process";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { isKeySlot, KEY_MANAGER_ERRORS } from "@bonafide/plugin-api";

const FILE_BYTES_MAX = 16_384;
const FILES_MAX = 1024;
const OTHERS = 0o077;
const SUFFIX = ".pem";
/** Never the name of a slot's file: a slot has no dot. */
const UNFINISHED = /^\.unfinished-[0-9a-f]+$/;

/** Errors of the kernel that say "not what it should be" rather than "not now". */
const UNSAFE_CODES: ReadonlySet<string> = new Set(["ELOOP", "ENOTDIR", "EISDIR"]);

/** What the kernel's codes say to people. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not",
  EPERM: "this user may not",
  ENOENT: "the folder around it does not exist",
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  EROFS: "the file system is read-only",
  EIO: "the disk fails",
};

/** The content of one slot's file. */
export interface KeyFile {
  readonly slot: string;
  /** For messages. */
  readonly path: string;
  readonly text: string;
}

/**
 * A folder of key files that only this user can reach, one file a slot.
 *
 * The folder is held open and reached through its descriptor: whoever can rename a parent cannot slip another folder
 * under it. Links are never followed. A file is replaced whole or not at all.
 */
export class KeyFolder {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #base: string;
  #counter = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
    this.#base = process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : path;
  }

  /**
   * Opens the folder; makes it, mode 0700, when it is missing.
   *
   * @throws KEY_STORE_UNSAFE, KEY_STORE_UNAVAILABLE
   */
  static async open(path: string): Promise<KeyFolder> {
    return guarded(path, async () => {
      await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
        if (codeOf(error) !== "EEXIST") throw error;
      });
      const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
      const handle = await open(path, flags);
      try {
        const stats = await handle.stat();
        if (stats.uid !== process.getuid?.()) throw unsafe(path, "belongs to another user");
        if ((stats.mode & OTHERS) !== 0) {
          throw unsafe(path, `is open to others: run chmod 700 ${JSON.stringify(path)}`);
        }
        return new KeyFolder(path, handle);
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  /**
   * Reads every slot's file, and removes what a crash left unfinished.
   *
   * @throws KEY_STORE_UNSAFE, KEY_STORE_CORRUPT, KEY_STORE_UNAVAILABLE
   */
  async readAll(): Promise<readonly KeyFile[]> {
    const files: KeyFile[] = [];
    const names = await guarded(this.#path, () => readdir(this.#base));
    if (names.length > FILES_MAX) throw unsafe(this.#path, "holds too many files");
    for (const name of names.toSorted()) {
      if (UNFINISHED.test(name)) {
        await guarded(this.#path, () => unlink(`${this.#base}/${name}`));
        continue;
      }
      const slot = name.slice(0, -SUFFIX.length);
      if (!name.endsWith(SUFFIX) || !isKeySlot(slot)) continue;
      const path = `${this.#path}/${name}`;
      files.push({ slot, path, text: await guarded(path, () => this.#read(name, path)) });
    }
    return files;
  }

  /**
   * Writes a slot's file: once this resolves it survives a power cut; when it rejects, the old file is still there.
   *
   * @throws KEY_STORE_UNAVAILABLE
   */
  async replace(slot: string, text: string): Promise<void> {
    const path = `${this.#path}/${slot}${SUFFIX}`;
    const unfinished = `${this.#base}/.unfinished-${process.pid.toString(16)}${(this.#counter++).toString(16)}`;
    await guarded(path, async () => {
      const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
      const file = await open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        try {
          await file.writeFile(text);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(unfinished, `${this.#base}/${slot}${SUFFIX}`);
      } catch (error) {
        await unlink(unfinished).catch(() => {
          // What is left is removed at the next opening; the first error says what is wrong.
        });
        throw error;
      }
      await this.#handle.sync();
    });
  }

  /**
   * Removes a slot's file, if there is one.
   *
   * @throws KEY_STORE_UNAVAILABLE
   */
  async remove(slot: string): Promise<void> {
    await guarded(`${this.#path}/${slot}${SUFFIX}`, async () => {
      await unlink(`${this.#base}/${slot}${SUFFIX}`).catch((error: unknown) => {
        if (codeOf(error) !== "ENOENT") throw error;
      });
      await this.#handle.sync();
    });
  }

  /** Lets go of the folder. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #read(name: string, path: string): Promise<string> {
    // A link is told apart here for the message; O_NOFOLLOW is what holds.
    const entry = await lstat(`${this.#base}/${name}`);
    if (entry.isSymbolicLink()) throw unsafe(path, "is a link, and links are not followed");
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(`${this.#base}/${name}`, flags);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw unsafe(path, "is not a file");
      if (stats.uid !== process.getuid?.()) throw unsafe(path, "belongs to another user");
      if ((stats.mode & OTHERS) !== 0) {
        throw unsafe(path, `is open to others: run chmod 600 ${JSON.stringify(path)}`);
      }
      if (stats.size > FILE_BYTES_MAX) throw corruptKeyFile(path);
      const buffer = Buffer.alloc(FILE_BYTES_MAX + 1);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      if (bytesRead > FILE_BYTES_MAX) throw corruptKeyFile(path);
      return buffer.toString("latin1", 0, bytesRead);
    } finally {
      await file.close();
    }
  }
}

/** The error of a key file that is damaged: names it, and what mends it. The caller throws it. */
export function corruptKeyFile(path: string): BonafideError {
  const message =
    `the key file ${path} is damaged: restore it from a backup, or move it away ` +
    "and start again, and a new key takes its place";
  return new BonafideError(KEY_MANAGER_ERRORS, "KEY_STORE_CORRUPT", message, {
    details: { path },
  });
}

function unsafe(path: string, why: string): BonafideError {
  const message = `${path} ${why}`;
  return new BonafideError(KEY_MANAGER_ERRORS, "KEY_STORE_UNSAFE", message, { details: { path } });
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Runs file work; what the kernel refuses becomes a coded error that names the path. */
async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isBonafideError(error)) throw error;
    const code = codeOf(error) ?? "unknown";
    if (UNSAFE_CODES.has(code)) throw unsafe(path, `is not a folder or file of its own (${code})`);
    throw new BonafideError(
      KEY_MANAGER_ERRORS,
      "KEY_STORE_UNAVAILABLE",
      `cannot use ${path}: ${REASONS[code] ?? "the system refuses"} (${code})`,
      { cause: error, details: { path, reason: code } },
    );
  }
}
