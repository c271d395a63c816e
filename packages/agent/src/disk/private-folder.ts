import type { Stats } from "node:fs";
import { lstat, mkdir } from "node:fs/promises";
import process from "node:process";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { AGENT_ERRORS } from "../errors.ts";

/**
 * Makes a folder with 0700, or takes one that is a real folder, ours or root's, and closed to others. The rights of
 * one that is there are never changed behind its owner's back: what lay in it open may have been read or replaced.
 *
 * @throws AGENT_STATE_INVALID      a link, no folder, another user's, or open to others
 * @throws AGENT_STATE_UNAVAILABLE  it cannot be made or looked at
 */
export async function makePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    // lstat and not stat: in a folder that others may write, a link could lead our files elsewhere.
    const fault = faultOf(await lstat(path));
    if (fault === undefined) return;
    throw new BonafideError(
      AGENT_ERRORS,
      "AGENT_STATE_INVALID",
      `the data folder ${path} ${fault}`,
      {
        details: { path },
      },
    );
  } catch (cause) {
    if (isBonafideError(cause)) throw cause;
    throw new BonafideError(
      AGENT_ERRORS,
      "AGENT_STATE_UNAVAILABLE",
      `the data folder ${path} cannot be used`,
      { cause, details: { path } },
    );
  }
}

function faultOf(stats: Stats): string | undefined {
  if (stats.isSymbolicLink()) return "is a link; give the folder itself";
  if (!stats.isDirectory()) return "is not a folder";
  const own = process.geteuid?.();
  if (own !== undefined && stats.uid !== own && stats.uid !== 0) {
    return `belongs to uid ${stats.uid} and not to the agent's user`;
  }
  return (stats.mode & 0o077) === 0 ? undefined : "is open to others; chmod 700 it first";
}
