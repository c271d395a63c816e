import { isSlotName } from "./slot-name.ts";

/** A bound slot as it lies on disk. Holds no secret: the nonce is spent. */
export interface SlotRecord {
  readonly slotId: string;
  readonly name: string;
  /** Uid of the launcher, from its socket. */
  readonly launcherUid: number;
  /** The process that redeemed the slot; also its session. */
  readonly pid: number;
  readonly uid: number;
  /** Clock ticks from boot to its start. */
  readonly startTicks: bigint;
  /** Unique name of the process since boot; undefined before Linux 6.9. */
  readonly pidfdInode: bigint | undefined;
  /** The boot these numbers belong to. */
  readonly bootId: string;
}

/** Renders records as JSON text. */
export function renderSlotRecords(records: readonly SlotRecord[]): string {
  const slots = records.map(({ startTicks, pidfdInode, ...rest }) => ({
    ...rest,
    startTicks: String(startTicks),
    pidfdInode: pidfdInode === undefined ? null : String(pidfdInode),
  }));
  return `${JSON.stringify({ version: 1, slots }, undefined, 1)}\n`;
}

/** Reads records; whatever is not one is left out, and other text gives none: a lost slot is only refused. */
export function parseSlotRecords(text: string): readonly SlotRecord[] {
  const file = parseJson(text);
  if (!isObject(file) || file["version"] !== 1 || !Array.isArray(file["slots"])) return [];
  const slots: unknown[] = file["slots"];
  return slots.flatMap((slot) => parseRecord(slot) ?? []);
}

function parseRecord(slot: unknown): SlotRecord | undefined {
  if (!isObject(slot)) return undefined;
  const { slotId, name, launcherUid, pid, uid, startTicks, pidfdInode, bootId } = slot;
  if (typeof slotId !== "string" || typeof bootId !== "string") return undefined;
  if (typeof name !== "string" || !isSlotName(name)) return undefined;
  if (!isId(launcherUid) || !isId(pid) || !isId(uid)) return undefined;
  if (!isDecimal(startTicks) || (pidfdInode !== null && !isDecimal(pidfdInode))) return undefined;
  return {
    slotId,
    name,
    launcherUid,
    pid,
    uid,
    startTicks: BigInt(startTicks),
    pidfdInode: pidfdInode === null ? undefined : BigInt(pidfdInode),
    bootId,
  };
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 32;
}

function isDecimal(value: unknown): value is string {
  return typeof value === "string" && /^\d{1,20}$/.test(value);
}
