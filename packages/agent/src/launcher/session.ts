import { opendirSync, readFileSync } from "node:fs";
import { HeldProcess, type Kernel, parseProcessStat, type ProcessStat } from "@bonafide/unix-peer";
import { ANCHORS_MAX, PROCESSES_MAX } from "./limits.ts";

/** Clock ticks since boot, as start times count them: hundredths of a second on every Linux. */
export function ticksSinceBoot(): bigint {
  const [seconds = "", fraction = ""] =
    readFileSync("/proc/uptime", "latin1").split(" ")[0]?.split(".") ?? [];
  return BigInt(seconds) * 100n + BigInt(fraction.padEnd(2, "0").slice(0, 2));
}

/** The running boot's own name. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

/** What procfs says of a held process; undefined when it cannot be read or has ended. */
export function statOf(held: HeldProcess): ProcessStat | undefined {
  try {
    using directory = held.openDirectory();
    return parseProcessStat(directory.text("stat"));
  } catch {
    return undefined;
  }
}

/**
 * Holds members of a session whose leader has ended, born before a moment when the leader lived.
 *
 * A session's number is free for others once it has no members, and a process that is in a session without leading it
 * was born there. So whoever was born while the leader lived, and has this session's number, is in the leader's very
 * session; one born later could be in a later session of the same number.
 */
export function holdMembers(
  kernel: Kernel,
  sessionId: number,
  bornBefore: bigint,
): readonly HeldProcess[] {
  const held: HeldProcess[] = [];
  using processes = opendirSync("/proc");
  for (let seen = 0; seen < PROCESSES_MAX && held.length < ANCHORS_MAX; seen++) {
    const entry = processes.readSync();
    if (entry === null) break;
    if (!/^\d+$/.test(entry.name)) continue;
    const member = holdMember(kernel, Number(entry.name), sessionId, bornBefore);
    if (member !== undefined) held.push(member);
  }
  return held;
}

function holdMember(
  kernel: Kernel,
  pid: number,
  sessionId: number,
  bornBefore: bigint,
): HeldProcess | undefined {
  try {
    // Cheap look first; most processes are in other sessions.
    const seen = parseProcessStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
    if (seen?.sessionId !== sessionId) return undefined;
    const held = HeldProcess.open(kernel, pid);
    const stat = statOf(held);
    if (stat?.sessionId === sessionId && stat.startTicks < bornBefore) return held;
    held.close();
  } catch {
    // Ended meanwhile.
  }
  return undefined;
}
