import { readPrivateFile, writePrivateFile } from "../disk/private-file.ts";
import { parseSlotRecords, renderSlotRecords, type SlotRecord } from "./core/slot-record.ts";
import { SLOTS_FILE_BYTES_MAX } from "./limits.ts";

/** Keeps the bound slots of an agent. Calls are never concurrent. */
export interface SlotsFile {
  /**
   * Everything kept; nothing for a file that is missing or damaged, since a lost slot is only refused.
   *
   * @throws AGENT_STATE_INVALID      it is too large, or others may read or write it
   * @throws AGENT_STATE_UNAVAILABLE
   */
  read(): Promise<readonly SlotRecord[]>;
  /** Replaces everything, atomically; resolved is durable. @throws AGENT_STATE_UNAVAILABLE */
  write(records: readonly SlotRecord[]): Promise<void>;
}

/** A file of mode 0600, replaced whole; its folder must exist and be the agent's own. */
export function slotsFile(path: string): SlotsFile {
  return {
    async read() {
      const bytes = await readPrivateFile(path, { bytesMax: SLOTS_FILE_BYTES_MAX });
      return bytes === undefined ? [] : parseSlotRecords(new TextDecoder().decode(bytes));
    },
    async write(records) {
      await writePrivateFile(path, new TextEncoder().encode(renderSlotRecords(records)));
    },
  };
}

/** Keeps nothing: slots end with the agent. */
export function noSlotsFile(): SlotsFile {
  return { read: () => Promise.resolve([]), write: () => Promise.resolve() };
}
