import { BonafideError, isBonafideError } from "@bonafide/errors";
import { STORE_ERRORS, type StoreErrorCode } from "@bonafide/plugin-api";

/** A failure as it crosses from the worker: errors of a class of ours cannot be cloned. */
export interface Failure {
  readonly code: StoreErrorCode;
  readonly message: string;
  /** For the log. */
  readonly cause: string;
}

/** SQLite's primary result codes. */
const CODES: ReadonlyMap<number, StoreErrorCode> = new Map([
  [5, "STORE_UNAVAILABLE"], // SQLITE_BUSY: somebody else writes for longer than busy_timeout
  [6, "STORE_UNAVAILABLE"], // SQLITE_LOCKED
  [8, "STORE_READ_ONLY"], // SQLITE_READONLY
  [10, "STORE_UNAVAILABLE"], // SQLITE_IOERR
  [11, "STORE_CORRUPT"], // SQLITE_CORRUPT
  [13, "STORE_FULL"], // SQLITE_FULL
  [14, "STORE_UNAVAILABLE"], // SQLITE_CANTOPEN
  [19, "STORE_CORRUPT"], // SQLITE_CONSTRAINT: a leaf or a row is there that the head does not know of
  [26, "STORE_CORRUPT"], // SQLITE_NOTADB
]);

/** The file system's own refusals, while the file is made or looked at. */
const FILE_CODES: ReadonlyMap<string, StoreErrorCode> = new Map([
  ["EROFS", "STORE_READ_ONLY"],
  ["EACCES", "STORE_READ_ONLY"],
  ["EPERM", "STORE_READ_ONLY"],
  ["ENOSPC", "STORE_FULL"],
  ["EDQUOT", "STORE_FULL"],
]);

const MESSAGES: Partial<Record<StoreErrorCode, string>> = {
  STORE_UNAVAILABLE: "the database file cannot be used for now",
  STORE_READ_ONLY: "the database file cannot be written to",
  STORE_FULL: "there is no room for the database file to grow",
  STORE_CORRUPT:
    "the database file is damaged: stop the server, keep a copy of the file, restore a backup",
  STORE_UNKNOWN_OUTCOME: "a commit failed half way",
};

/** The primary result code of an error that node:sqlite threw; undefined for any other. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode % 256 : undefined;
}

/** Whether the database is being written to by somebody else. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === 5;
}

/**
 * Makes a coded error of what node:sqlite or node:fs threw; coded ones stay as they are.
 *
 * @param committing  The statement was COMMIT: an input/output error leaves the outcome open.
 */
export function codedError(error: unknown, committing = false): unknown {
  if (isBonafideError(error)) return error;
  const number = sqliteCode(error);
  if (number === undefined) {
    const name = error instanceof Error && "code" in error ? String(error.code) : "";
    const code = FILE_CODES.get(name) ?? "STORE_UNAVAILABLE";
    return new BonafideError(STORE_ERRORS, code, MESSAGES[code] ?? code, { cause: error });
  }
  const isOpen = committing && number === 10;
  const code = isOpen ? "STORE_UNKNOWN_OUTCOME" : (CODES.get(number) ?? "STORE_UNAVAILABLE");
  return new BonafideError(STORE_ERRORS, code, MESSAGES[code] ?? code, { cause: error });
}
