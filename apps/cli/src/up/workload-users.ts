import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** Users that the demo's workloads run as, by workload; none: all run as the caller. */
export type WorkloadUsers = Readonly<Record<string, number>> | undefined;

/** The range that systemd gives to dynamic users; no account of a person lies in it. */
const FIRST_UID = 61_184;
const LAST_UID = 65_519;

/**
 * Picks a uid of its own for each workload when we are root and a program of ours can be read by such a uid; chosen once
 * and kept in the data folder. Nothing is made readable for it and no account is made.
 *
 * @param programs  Files that the workloads must be able to read.
 */
export function chooseWorkloadUsers(
  dataDir: string,
  names: readonly string[],
  programs: readonly string[],
): WorkloadUsers {
  if (process.getuid?.() !== 0) return undefined;
  const file = join(dataDir, "users.json");
  const kept = readKept(file, names);
  if (kept !== undefined) return canRun(Object.values(kept), programs) ? kept : undefined;
  const taken = new Set([...accountUids(), ...runningUids()]);
  const free: number[] = [];
  for (let uid = FIRST_UID; uid <= LAST_UID && free.length < names.length; uid++) {
    if (!taken.has(uid)) free.push(uid);
  }
  if (free.length < names.length || !canRun(free, programs)) return undefined;
  const users = Object.fromEntries(names.map((name, i) => [name, free[i] ?? 0]));
  writeFileSync(file, `${JSON.stringify(users)}\n`, { mode: 0o600 });
  return users;
}

function readKept(file: string, names: readonly string[]): Record<string, number> | undefined {
  if (!existsSync(file)) return undefined;
  const kept: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof kept !== "object" || kept === null) return undefined;
  const users = Object.fromEntries(Object.entries(kept).map(([name, uid]) => [name, Number(uid)]));
  const fits = names.every((name) => {
    const uid = users[name] ?? 0;
    return Number.isInteger(uid) && uid >= FIRST_UID && uid <= LAST_UID;
  });
  return fits ? users : undefined;
}

/** Asks by trying: rights lie in every folder above a file, in ACLs and in mounts. */
function canRun(uids: readonly number[], programs: readonly string[]): boolean {
  const probe = `for (const f of ${JSON.stringify(programs)}) require("node:fs").readFileSync(f);`;
  return uids.slice(0, 1).every((uid) => {
    const { status } = spawnSync(process.execPath, ["-e", probe], {
      uid,
      gid: uid,
      stdio: "ignore",
      env: {},
      cwd: "/",
      timeout: 10_000,
    });
    return status === 0;
  });
}

function accountUids(): readonly number[] {
  return readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => Number(line.split(":")[2]));
}

function runningUids(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [statSync(`/proc/${name}`).uid];
      } catch {
        return []; // ended meanwhile
      }
    });
}

/** What keeping the workloads apart this way is worth, in one line (docs/attestation.md). */
export function worthText(users: WorkloadUsers, ownUid: number): string {
  if (users === undefined) {
    return `kept apart: by label only; any process of uid ${ownUid} could take these identities. Fine for trying out; see docs/attestation.md`;
  }
  const uids = Object.values(users).join(", ");
  return `kept apart: by user (${uids}), a boundary against other unprivileged users`;
}
