import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { BonafideError } from "@bonafide/errors";
import { CLI_ERRORS } from "../errors.ts";

/**
 * The random id of this server, kept beside its keys: a server whose folder is wiped is a new server.
 *
 * @throws DATA_DIR_UNSAFE  the file is there and holds no id
 */
export function loadServerId(dataDir: string): string {
  const file = join(dataDir, "server-id");
  try {
    const fd = openSync(file, "wx", 0o600);
    const id = randomUUID();
    writeSync(fd, `${id}\n`);
    fsyncSync(fd);
    closeSync(fd);
    return id;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  const id = readFileSync(file, "utf8").trim();
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id;
  throw new BonafideError(CLI_ERRORS, "DATA_DIR_UNSAFE", `${file} holds no server id`, {
    details: { next: "restore it from a backup; a new id makes this a new server" },
  });
}
