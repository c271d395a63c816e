import {
  chmodSync,
  closeSync,
  copyFileSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { failure, lockFile } from "./database.ts";

/** Files that SQLite keeps beside a database. */
const SIDE_FILES = ["", "-wal", "-shm"];

/**
 * Writes a consistent copy of a database file, while a server may use it: one transaction sees one state.
 *
 * @param to  Must not be there; made with 0600, durable once this returns.
 * @throws STORE_UNAVAILABLE  there is no such file
 * @throws what SQLite says of a file that it cannot read or write
 */
export function copySqliteFile(from: string, to: string): void {
  if (!existsSync(from)) throw failure("STORE_UNAVAILABLE", `${from} is not there`);
  // Made first, so that it is never open to others, not even while it is written.
  closeSync(openSync(to, "wx", 0o600));
  try {
    const db = new DatabaseSync(from, { readOnly: true, timeout: 5000 });
    try {
      db.prepare("VACUUM INTO ?").run(to);
    } finally {
      db.close();
    }
    chmodSync(to, 0o600);
    sync(to);
    sync(dirname(to));
  } catch (error) {
    rmSync(to, { force: true });
    throw error;
  }
}

/**
 * Puts a copy in the place of a database file. The present one stays beside it, under the given ending.
 *
 * @returns whether there was one
 * @throws STORE_LOCKED  a server has it open
 */
export function replaceSqliteFile(path: string, copy: string, ending: string): boolean {
  const lock = lockFile(path);
  try {
    const fresh = `${path}.${ending}.new`;
    copyFileSync(copy, fresh);
    chmodSync(fresh, 0o600);
    sync(fresh);
    const wasThere = existsSync(path);
    for (const side of SIDE_FILES) {
      if (existsSync(`${path}${side}`)) renameSync(`${path}${side}`, `${path}.${ending}${side}`);
    }
    renameSync(fresh, path);
    sync(dirname(path));
    return wasThere;
  } finally {
    lock.close();
  }
}

function sync(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
