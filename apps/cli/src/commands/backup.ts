import { randomUUID } from "node:crypto";
import { existsSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { copySqliteFile } from "@bonafide/store-sqlite";
import { type Command, defineCommand } from "../arguments/command.ts";
import { nameText, verifiedName } from "../clients/store-name.ts";
import { CLI_ERRORS } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";

/** Where a server's store lies unless another folder is named. */
export const SERVER_DATA_DIR = "/var/lib/bonafide/server";

/** `bonafide backup` */
export const backup: Command = defineCommand({
  name: "backup",
  summary:
    "copies a server's store, also while the server runs, verifies the copy and says which state it holds",
  usage: "FILE [flags]",
  flags: {
    "data-dir": {
      kind: "string",
      help: "the server's folder",
      placeholder: "DIR",
      standard: SERVER_DATA_DIR,
    },
  },
  operands: { min: 1, max: 1 },
  examples: [
    "bonafide backup /backup/bonafide-today.sqlite",
    "bonafide backup today.sqlite --data-dir .bonafide/server",
  ],
  async run({ flags, operands, output, signal }) {
    const to = resolve(operands[0] ?? "");
    const from = join(resolve(flags["data-dir"] ?? SERVER_DATA_DIR), "ledger.sqlite");
    if (existsSync(to)) throw unwritable(to, "it is there already");
    const fresh = `${to}.${randomUUID()}`;
    try {
      copy(from, fresh);
      const name = await verifiedName(fresh, { signal });
      renameSync(fresh, to);
      output.result(`${to} holds ${nameText(name)}`, { file: to, state: name });
    } finally {
      for (const side of ["", "-wal", "-shm"]) rmSync(`${fresh}${side}`, { force: true });
    }
    output.note("keys are not in it: they lie in the folder keys, and stay there");
    return EXIT.ok;
  },
});

function copy(from: string, fresh: string): void {
  try {
    copySqliteFile(from, fresh);
  } catch (cause) {
    if (isBonafideError(cause)) throw cause;
    throw unwritable(fresh, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function unwritable(path: string, why: string, cause?: unknown): BonafideError {
  return new BonafideError(CLI_ERRORS, "OUTPUT_UNWRITABLE", `cannot write ${path}: ${why}`, {
    cause,
  });
}
