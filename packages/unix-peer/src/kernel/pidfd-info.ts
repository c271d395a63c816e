import type { PidfdFacts } from "./kernel.ts";

/** Size of the structure's first version (Linux 6.13); later kernels accept it unchanged. */
export const PIDFD_INFO_BYTES = 64;

const MASK_CREDS = 2n;
const MASK_CGROUP = 4n;

/** The ioctl number for this size, with the mask of wanted facts written into the structure. */
export function pidfdInfoRequest(into: Buffer): number {
  into.writeBigUInt64LE(1n | MASK_CREDS | MASK_CGROUP, 0);
  const readWrite = 3;
  return readWrite * 2 ** 30 + into.length * 2 ** 16 + 0xff * 2 ** 8 + 11;
}

/** Reads the answered structure; `gone` when the kernel left the ids out, which it does for an exited process. */
export function readPidfdFacts(from: Buffer): PidfdFacts | "gone" {
  const mask = from.readBigUInt64LE(0);
  if ((mask & MASK_CREDS) === 0n) return "gone";
  return {
    pid: from.readUInt32LE(16),
    tgid: from.readUInt32LE(20),
    parentPid: from.readUInt32LE(24),
    uid: from.readUInt32LE(36),
    gid: from.readUInt32LE(40),
    cgroupId: (mask & MASK_CGROUP) === 0n ? undefined : from.readBigUInt64LE(8),
  };
}
