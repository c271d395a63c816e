import type { BigIntStats } from "node:fs";
import { lstat } from "node:fs/promises";
import type { WorkloadCaller, WorkloadFacts } from "@bonafide/plugin-api";
import { errnoOf } from "../caller-facts.ts";
import { CGROUP_LEVELS_MAX } from "../limits.ts";
import { found, missing, together } from "./facts.ts";

/**
 * `cgroup` for each ancestor down to the lock point: the deepest cgroup that nobody but root can enter or leave. What
 * lies below is the caller's own words and is not emitted.
 *
 * @param mount  Where the agent sees the cgroup v2 tree; undefined without one.
 */
export async function cgroupFacts(
  caller: WorkloadCaller,
  mount: string | undefined,
): Promise<WorkloadFacts> {
  if (caller.uid === 0) {
    return missing("cgroup", "attestor.caller_is_root", "root enters any cgroup by itself");
  }
  if (mount === undefined) {
    return missing("cgroup", "attestor.unsupported", "the agent sees no cgroup v2 tree");
  }
  const fact = caller.facts.cgroupPath;
  if (fact.kind === "unreadable") {
    const text = `/proc/${caller.pid}/cgroup cannot be read: ${fact.errno}`;
    return missing("cgroup", "attestor.not_readable", text);
  }
  const parts = fact.value.split("/").slice(1);
  if (parts.includes("..")) {
    const text = "the cgroup lies outside of the agent's cgroup namespace";
    return missing("cgroup", "attestor.foreign_namespace", text);
  }
  if (parts[0] === "") {
    return missing("cgroup", "attestor.not_locked", "the process is in the root cgroup");
  }
  if (parts.length > CGROUP_LEVELS_MAX) {
    const text = `the cgroup is ${parts.length} levels deep, more than ${CGROUP_LEVELS_MAX}`;
    return missing("cgroup", "attestor.too_large", text);
  }
  try {
    return await lockedAncestors(caller, mount, parts);
  } catch (error) {
    const text = `the cgroup's folder cannot be read: ${errnoOf(error)}`;
    return missing("cgroup", "attestor.not_readable", text);
  }
}

async function lockedAncestors(
  caller: WorkloadCaller,
  mount: string,
  parts: readonly string[],
): Promise<WorkloadFacts> {
  const folderAt = (level: number): Buffer =>
    Buffer.from(`${mount}/${parts.slice(0, level).join("/")}`, "latin1");
  const { ino } = await lstat(folderAt(parts.length), { bigint: true });
  if (caller.cgroupId !== undefined && caller.cgroupId !== ino) {
    const text = "the kernel names another cgroup than procfs";
    return missing("cgroup", "attestor.failed", text);
  }
  let lock = parts.length;
  while (lock > 0 && !(await isLocked(folderAt(lock)))) lock--;
  if (lock === 0) {
    const text = "the cgroup can be entered by others than root, up to its first level";
    return missing("cgroup", "attestor.not_locked", text);
  }
  const facts: WorkloadFacts[] = [];
  for (let level = 1; level <= lock; level++) {
    const path = parts.slice(0, level).map(escapePart).join("/");
    facts.push(found("cgroup", `/${path}`, "/proc/PID/cgroup"));
  }
  return together(facts);
}

/** Neither the folder nor the files by which processes and threads enter may belong, or be writable, to others. */
async function isLocked(folder: Buffer): Promise<boolean> {
  const inside = (name: string): Buffer => Buffer.concat([folder, Buffer.from(`/${name}`)]);
  const all = await Promise.all([
    lstat(folder, { bigint: true }),
    lstat(inside("cgroup.procs"), { bigint: true }),
    lstat(inside("cgroup.threads"), { bigint: true }),
  ]);
  return all.every(isRootsOnly);
}

function isRootsOnly({ uid, gid, mode }: BigIntStats): boolean {
  const groupMayWrite = (mode & 0o020n) !== 0n && gid !== 0n;
  return uid === 0n && (mode & 0o002n) === 0n && !groupMayWrite;
}

function escapePart(part: string): string {
  return part.replace(/[^\x20-\x7e]/g, (byte) => {
    const hex = byte.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase();
    return `\\x${hex}`;
  });
}
