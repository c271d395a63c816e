import { chmodSync, lstatSync, mkdirSync, readlinkSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { BonafideError } from "@bonafide/errors";
import { UNIX_PEER_ERRORS } from "./errors.ts";
import { PATH_LINKS_MAX } from "./limits.ts";

/**
 * Makes the socket's folder if it is missing, and shows that nobody else can replace what lies in it: a real folder, not
 * a link, owned by us, no wider than `mode`; and every folder and link above it, up to the root, owned by us or root and
 * writable to nobody else, or sticky as /tmp is.
 *
 * @throws SOCKET_FOLDER_UNSAFE  otherwise, with `details.folder` and `details.owner` of the one at fault; nothing that
 *                               was there is changed
 */
export function prepareSocketFolder(path: string, mode: number): void {
  const folder = dirname(path);
  // Before anything is made, and again: what is made meanwhile may be another's.
  checkWay(dirname(folder));
  // The umask takes bits of what is made now; a folder that was there is judged, never changed.
  if (mkdirSync(folder, { recursive: true, mode }) !== undefined) chmodSync(folder, mode);
  checkWay(dirname(folder));
  const stats = lstatSync(folder);
  const fault = faultOfFolder(stats, mode);
  if (fault !== undefined) throw unsafe(folder, stats, fault);
}

/** Looks at every folder on the way, through links, from the root as far as there is one. */
function checkWay(folder: string): void {
  const names = folder.split("/");
  let links = 0;
  let at = "/";
  checkAbove(at, lstatSync(at));
  for (let name = names.shift(); name !== undefined; name = names.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = dirname(at);
      continue;
    }
    const next = join(at, name);
    const stats = lstatSync(next, { throwIfNoEntry: false });
    if (stats === undefined) return;
    checkAbove(next, stats);
    if (!stats.isSymbolicLink()) {
      at = next;
      continue;
    }
    if (++links > PATH_LINKS_MAX) throw unsafe(next, stats, "leads through too many links");
    const target = readlinkSync(next);
    if (target.startsWith("/")) at = "/";
    names.unshift(...target.split("/"));
  }
}

function checkAbove(path: string, stats: Stats): void {
  const fault = faultAbove(stats);
  if (fault !== undefined) throw unsafe(path, stats, fault);
}

function faultAbove(stats: Stats): string | undefined {
  if (stats.uid !== 0 && stats.uid !== process.geteuid?.()) {
    return `belongs to uid ${stats.uid}, who may replace what lies in it`;
  }
  // A link's mode says nothing; whoever may write the folder it lies in may replace it.
  if (stats.isSymbolicLink()) return undefined;
  if (!stats.isDirectory()) return "is no folder";
  const othersWrite = (stats.mode & 0o022) !== 0 && (stats.mode & 0o1000) === 0;
  return othersWrite
    ? `has mode ${modeText(stats)}: others may replace what lies in it`
    : undefined;
}

function faultOfFolder(stats: Stats, mode: number): string | undefined {
  if (stats.isSymbolicLink()) return "is a link";
  if (!stats.isDirectory()) return "is no folder";
  if (stats.uid !== process.geteuid?.()) return `belongs to uid ${stats.uid}`;
  return (stats.mode & 0o777 & ~mode) === 0
    ? undefined
    : `has mode ${modeText(stats)}, wider than ${mode.toString(8)}`;
}

function unsafe(folder: string, stats: Stats, fault: string): BonafideError {
  return new BonafideError(
    UNIX_PEER_ERRORS,
    "SOCKET_FOLDER_UNSAFE",
    `${folder}, on the way to the socket, ${fault}`,
    { details: { folder, owner: String(stats.uid), mode: modeText(stats) } },
  );
}

function modeText({ mode }: Stats): string {
  return (mode & 0o7777).toString(8);
}
