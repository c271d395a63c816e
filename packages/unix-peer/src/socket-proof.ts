import { opendirSync, readlinkSync } from "node:fs";
import type { Kernel } from "./kernel/kernel.ts";
import { PROOF_DESCRIPTORS_MAX } from "./limits.ts";

/**
 * Shows that a process holds the other end of a connection: the peer's inode by UNIX_DIAG, found among its
 * descriptors. Needs the rights of ptrace over the process (root, or its own uid).
 *
 * @returns false when that cannot be shown, for whatever reason
 */
export function holdsPeerSocket(kernel: Kernel, socketFd: number, pid: number): boolean {
  const inode = kernel.peerSocketInode(socketFd);
  if (inode === undefined || inode === 0n) return false;
  const wanted = `socket:[${inode}]`;
  try {
    using directory = opendirSync(`/proc/${pid}/fd`, { bufferSize: 256 });
    for (let seen = 0; seen < PROOF_DESCRIPTORS_MAX; seen++) {
      const entry = directory.readSync();
      if (entry === null) return false;
      if (linkOf(`/proc/${pid}/fd/${entry.name}`) === wanted) return true;
    }
  } catch {
    // Not permitted, or gone: not shown. The caller grades it, nothing is believed.
  }
  return false;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // Closed between the listing and now.
    return undefined;
  }
}
