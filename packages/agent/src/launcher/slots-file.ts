import { open, readFile, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { parseSlotRecords, renderSlotRecords, type SlotRecord } from "./core/slot-record.ts";
import { SLOTS_FILE_BYTES_MAX } from "./limits.ts";

/** Keeps the bound slots of an agent. Calls are never concurrent. */
export interface SlotsFile {
  /** Everything kept; nothing for a file that is missing, too large or damaged. */
  read(): Promise<readonly SlotRecord[]>;
  /** Replaces everything, atomically; resolved is durable. */
  write(records: readonly SlotRecord[]): Promise<void>;
}

/** A file of mode 0600, replaced whole; its folder must exist and be the agent's own. */
export function slotsFile(path: string): SlotsFile {
  return {
    async read() {
      try {
        const { size } = await stat(path);
        return size > SLOTS_FILE_BYTES_MAX ? [] : parseSlotRecords(await readFile(path, "utf8"));
      } catch {
        return [];
      }
    },
    async write(records) {
      const next = `${path}.next`;
      {
        await using file = await open(next, "w", 0o600);
        await file.writeFile(renderSlotRecords(records));
        await file.sync();
      }
      await rename(next, path);
      await using folder = await open(dirname(path), "r");
      await folder.sync();
    },
  };
}

/** Keeps nothing: slots end with the agent. */
export function noSlotsFile(): SlotsFile {
  return { read: () => Promise.resolve([]), write: () => Promise.resolve() };
}
