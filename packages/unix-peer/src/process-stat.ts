/** The facts used of `/proc/PID/stat`. */
export interface ProcessStat {
  /** One letter, `Z` for a process that has exited and is not reaped. */
  readonly state: string;
  readonly parentPid: number;
  readonly sessionId: number;
  /** Start time in clock ticks since boot. */
  readonly startTicks: bigint;
  /** Whether its last thread is on its way out: what it had open is closed already, or will be in a moment. */
  readonly isEnding: boolean;
}

/** PF_EXITING, among a task's flags. */
const EXITING = 0x4;

/** Parses `/proc/PID/stat`; undefined when it is not one. The name may hold anything, brackets included. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const end = text.lastIndexOf(") ");
  if (end < 0) return undefined;
  const fields = text.slice(end + 2).split(" ");
  const [state, parent] = fields;
  const session = fields[3];
  const start = fields[19];
  if (state === undefined || parent === undefined || session === undefined) return undefined;
  if (start === undefined || !/^\d+$/.test(start)) return undefined;
  const flags = Number(fields[6]);
  const threads = Number(fields[17]);
  return {
    state,
    parentPid: Number(parent),
    sessionId: Number(session),
    startTicks: BigInt(start),
    isEnding: (flags & EXITING) !== 0 && threads <= 1,
  };
}

/** Effective uid and gid from `/proc/PID/status`; undefined when a line is missing. */
export function parseEffectiveIds(text: string): { uid: number; gid: number } | undefined {
  const uid = /^Uid:\t\d+\t(\d+)\t/m.exec(text)?.[1];
  const gid = /^Gid:\t\d+\t(\d+)\t/m.exec(text)?.[1];
  return uid === undefined || gid === undefined
    ? undefined
    : { uid: Number(uid), gid: Number(gid) };
}

/** Supplementary groups from `/proc/PID/status`, ascending; empty when the line is missing. */
export function parseGroups(text: string): readonly number[] {
  const line = /^Groups:\t([\d ]*)$/m.exec(text)?.[1] ?? "";
  const groups = new Set(line.split(" ").filter((part) => part !== ""));
  return [...groups].map(Number).toSorted((a, b) => a - b);
}
