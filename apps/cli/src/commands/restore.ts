import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { replaceSqliteFile } from "@bonafide/store-sqlite";
import { type Command, defineCommand } from "../arguments/command.ts";
import { nameText, type StoreName, verifiedName } from "../clients/store-name.ts";
import { CLI_ERRORS } from "../errors.ts";
import { EXIT } from "../exit-codes.ts";
import { SERVER_DATA_DIR } from "./backup.ts";

/** `bonafide restore` */
export const restore: Command = defineCommand({
  name: "restore",
  summary:
    "verifies a backup and puts it in the place of a stopped server's store; the present store is kept beside it",
  usage: "FILE [flags]",
  flags: {
    "data-dir": {
      kind: "string",
      help: "the server's folder",
      placeholder: "DIR",
      standard: SERVER_DATA_DIR,
    },
    "dry-run": { kind: "boolean", help: "only verify the backup and say what it holds" },
  },
  operands: { min: 1, max: 1 },
  examples: [
    "bonafide restore /backup/bonafide-today.sqlite --dry-run",
    "bonafide restore /backup/bonafide-today.sqlite",
  ],
  async run({ flags, operands, output, signal, machine }) {
    const file = resolve(operands[0] ?? "");
    if (!existsSync(file)) {
      throw new BonafideError(CLI_ERRORS, "FILE_UNREADABLE", `${file} is not there`);
    }
    assertAlone(file);
    const state = await readBackup(file, signal);
    if (flags["dry-run"]) {
      output.result(`${file} holds ${nameText(state)}`, { file, state, replaced: null });
      return EXIT.ok;
    }
    const folder = resolve(flags["data-dir"] ?? SERVER_DATA_DIR);
    if (!existsSync(folder)) {
      const message = `${folder} is not there; on a new machine make it first, with mode 0700, as the server's user`;
      throw new BonafideError(CLI_ERRORS, "FILE_UNREADABLE", message);
    }
    const path = join(folder, "ledger.sqlite");
    const ending = `before-${new Date(machine.clock.now()).toISOString().replaceAll(/[:.]/g, "-")}`;
    const replaced = replaceSqliteFile(path, file, ending) ? `${path}.${ending}` : null;
    output.result(
      [
        `${path} holds ${nameText(state)}`,
        ...(replaced === null ? [] : [`what was there is kept as ${replaced}`]),
      ].join("\n"),
      { file, state, replaced },
    );
    // What the server remembers beside its keys tells it what the copy lacks; see docs/plugins/store-sqlite.md.
    output.note(
      "start the server, and ask bonafide server healthcheck: a server that remembers more than this state " +
        "puts back what it can, and is on hold until bonafide ledger accept-rewind if only a person can decide",
    );
    return EXIT.ok;
  },
});

/** Verifies a backup; what is wrong with it must not be taken for a fault of the store that it is to replace. */
async function readBackup(file: string, signal: AbortSignal): Promise<StoreName> {
  try {
    return await verifiedName(file, { signal });
  } catch (cause) {
    if (!isBonafideError(cause, "STORE_CORRUPT")) throw cause;
    const message = `${file} is damaged, or not what bonafide backup wrote; nothing was restored`;
    throw new BonafideError(CLI_ERRORS, "BACKUP_INVALID", message, { cause });
  }
}

/** What lies in a log beside the file would be verified with it, and not restored. */
function assertAlone(file: string): void {
  const log = `${file}-wal`;
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  const message = `${file} has a log of SQLite beside it: it is the store of a server, not what bonafide backup wrote`;
  throw new BonafideError(CLI_ERRORS, "BACKUP_INVALID", message);
}
