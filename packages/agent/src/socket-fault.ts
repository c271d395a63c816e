// What keeps a user from a socket, an entry of its own: a command that finds nobody should not load an agent first.
import { type Stats, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { SocketFact } from "./core/why/facts.ts";

export { explainSocket } from "./core/why/explain-socket.ts";
export type { SocketFact } from "./core/why/facts.ts";

/** Whose way is looked at. */
export interface SocketUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

const SEARCH = 0o1;
const WRITE = 0o2;

/**
 * Looks at the way to a unix socket as a user would go it, folder by folder, by owners and modes alone: what an access
 * list or a capability opens beyond them is not seen.
 *
 * @param place.from  Where the path came from, in words.
 * @returns The first thing in the way; undefined if there is none. Whether somebody listens is not said.
 */
export function socketFault(
  { path, from }: { readonly path: string; readonly from: string },
  user: SocketUser,
): SocketFact | undefined {
  const whole = resolve(path);
  const closed = (component: string, { uid, mode }: Stats): SocketFact => {
    return { kind: "not_permitted", path, component, ownerUid: uid, mode: mode & 0o7777 };
  };
  const missing: SocketFact = { kind: "missing", path, from };
  let above = "/";
  for (const folder of foldersOf(whole)) {
    const stats = lookAt(folder);
    // Closed to us, who look: the folder above refuses, whatever its mode says.
    if (stats === "closed") return closed(above, statSync(above));
    if (stats === "missing" || !stats.isDirectory()) return missing;
    if (!may(stats, user, SEARCH)) return closed(folder, stats);
    above = folder;
  }
  const stats = lookAt(whole);
  if (stats === "closed") return closed(above, statSync(above));
  if (stats === "missing" || !stats.isSocket()) return missing;
  return may(stats, user, WRITE) ? undefined : closed(whole, stats);
}

/** `/`, `/run`, `/run/bonafide` of `/run/bonafide/agent.sock`. */
function foldersOf(path: string): readonly string[] {
  const folders = ["/"];
  for (const name of dirname(path).split("/").filter(Boolean)) {
    folders.push(join(folders.at(-1) ?? "/", name));
  }
  return folders;
}

function lookAt(path: string): Stats | "missing" | "closed" {
  try {
    return statSync(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "EACCES" || code === "EPERM" ? "closed" : "missing";
  }
}

function may({ uid, gid, mode }: Stats, user: SocketUser, right: number): boolean {
  if (user.uid === 0) return true;
  if (user.uid === uid) return (mode & (right << 6)) !== 0;
  if (user.gid === gid || user.groups.includes(gid)) return (mode & (right << 3)) !== 0;
  return (mode & right) !== 0;
}
