import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BonafideError } from "@bonafide/errors";
import { AGENT_ERRORS } from "../errors.ts";

/**
 * Locks a data folder for this process. The kernel drops the lock with the process, however it ends, so there is no
 * stale one to judge.
 *
 * @returns Gives the lock back; idempotent.
 * @throws AGENT_STATE_LOCKED       another agent has it
 */
export function lockFolder(folder: string): () => void {
  const database = new DatabaseSync(join(folder, "agent.lock"));
  try {
    database.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    throw new BonafideError(
      AGENT_ERRORS,
      "AGENT_STATE_LOCKED",
      `another agent runs on the data folder ${folder}`,
      { cause, details: { path: folder } },
    );
  }
  let held = true;
  return () => {
    if (held) database.close();
    held = false;
  };
}
