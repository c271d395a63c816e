import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { BonafideError } from "@bonafide/errors";
import { EMPTY_ROOT, toHex } from "@bonafide/ledger";
import { STORE_ERRORS, type StoreErrorCode } from "@bonafide/plugin-api";
import { type FileIdentity, fileIdentity, isSameFile, unlinkIfSame } from "./file-identity.ts";
import { SCHEMA, TABLES } from "./schema.ts";
import { codedError, isBusy } from "./sqlite-failure.ts";

/** How a file is opened. */
export interface DatabaseOptions {
  readonly path: string;
  /** Neither makes, locks nor writes the file. */
  readonly readOnly: boolean;
  /** Pages that the file may grow to; 0: no bound. */
  readonly pagesMax: number;
}

/** A file that is open, with what tells that it is still the one at its path and that only we write to it. */
export class Database {
  readonly options: DatabaseOptions;
  #db: DatabaseSync;
  #lock: DatabaseSync | undefined;
  #file: FileIdentity | undefined;
  #wal: FileIdentity | undefined;
  #version: number;

  constructor(options: DatabaseOptions) {
    this.options = options;
    this.#lock = options.readOnly ? undefined : lockFile(options.path);
    try {
      this.#db = this.#open();
    } catch (error) {
      this.#lock?.close();
      throw codedError(error);
    }
    this.#version = this.#dataVersion();
  }

  /** The handle; statements are prepared on it again after {@link reopen}. */
  get handle(): DatabaseSync {
    return this.#db;
  }

  /** Before each transaction. @throws STORE_REPLACED, STORE_CHANGED_OUTSIDE, STORE_READ_ONLY */
  checkUnchanged(): void {
    this.checkWritable();
    if (this.#dataVersion() !== this.#version) {
      throw failure("STORE_CHANGED_OUTSIDE", "another program wrote to the database file");
    }
  }

  /** Before a write that does not depend on what others wrote. @throws STORE_REPLACED, STORE_READ_ONLY */
  checkWritable(): void {
    if (this.options.readOnly) throw failure("STORE_READ_ONLY", "the file was opened for reading");
    this.checkFile();
  }

  /** Before each read. @throws STORE_REPLACED */
  checkFile(): void {
    if (isSameFile(this.#file, fileIdentity(this.options.path))) return;
    throw failure("STORE_REPLACED", "the database file was replaced or removed under the server");
  }

  /** Takes note of files that a transaction made. */
  noteFiles(): void {
    this.#wal ??= fileIdentity(`${this.options.path}-wal`);
  }

  /** Lets go of the file and opens what is at the path now. */
  reopen(): void {
    if (this.#db.isOpen) this.#db.close();
    // SQLite leaves the log of a file that was moved away where it is, and would replay it into the new file.
    if (!isSameFile(this.#file, fileIdentity(this.options.path))) {
      unlinkIfSame(`${this.options.path}-wal`, this.#wal);
    }
    this.#wal = undefined;
    try {
      this.#db = this.#open();
    } catch (error) {
      // Every call says STORE_REPLACED until an opening succeeds.
      this.#file = undefined;
      throw error;
    }
    this.#version = this.#dataVersion();
  }

  /** Lets go of the file and of its lock. */
  close(): void {
    if (this.#db.isOpen) this.#db.close();
    this.#lock?.close();
    this.#lock = undefined;
  }

  #open(): DatabaseSync {
    const { path, readOnly, pagesMax } = this.options;
    // Made by hand, so that nobody else can read it: names and the key secret are in it.
    if (!readOnly) closeSync(openSync(path, "a", 0o600));
    const db = new DatabaseSync(path, { readOnly, timeout: 5000 });
    try {
      this.#file = fileIdentity(path);
      if (!readOnly) {
        db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;");
        if (pagesMax > 0) db.exec(`PRAGMA max_page_count=${pagesMax}`);
      }
      db.exec("PRAGMA cache_size=-16384; PRAGMA foreign_keys=OFF; PRAGMA trusted_schema=OFF;");
      checkIntegrity(db);
      if (!readOnly) makeTables(db);
      checkSchema(db);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  #dataVersion(): number {
    return Number(this.#db.prepare("PRAGMA data_version").get()?.["data_version"]);
  }
}

/** A coded failure of this store. */
export function failure(code: StoreErrorCode, message: string): BonafideError {
  return new BonafideError(STORE_ERRORS, code, message);
}

/**
 * Locks a database file against every server, also while it is not there: a lock that the kernel takes back when the
 * process ends in any way, SQLite's own, on a file beside the database. Closing it lets go.
 *
 * @throws STORE_LOCKED
 */
export function lockFile(path: string): DatabaseSync {
  closeSync(openSync(`${path}.lock`, "a", 0o600));
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    lock.exec("PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw codedError(error);
    throw failure("STORE_LOCKED", "another server has the database file open");
  }
}

function checkIntegrity(db: DatabaseSync): void {
  const found = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (found === "ok") return;
  throw failure(
    "STORE_CORRUPT",
    "the database file is damaged: stop the server, keep a copy of the file, restore a backup",
  );
}

function makeTables(db: DatabaseSync): void {
  const made = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'head'").get() !== undefined;
  if (made) return;
  db.exec("BEGIN IMMEDIATE");
  db.exec(TABLES);
  db.prepare("INSERT INTO head VALUES (1, ?, ?, ?, 0, 0, ?, ?, 1)").run(
    SCHEMA,
    randomBytes(16),
    randomBytes(32),
    EMPTY_ROOT,
    toHex(randomBytes(8)),
  );
  db.exec("COMMIT");
}

function checkSchema(db: DatabaseSync): void {
  const schema = db.prepare("SELECT schema FROM head").get()?.["schema"];
  if (schema === SCHEMA) return;
  if (typeof schema !== "number") throw failure("STORE_CORRUPT", "the database has no head row");
  throw failure("STORE_SCHEMA_UNKNOWN", `tables of version ${schema} need a newer program`);
}
