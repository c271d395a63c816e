import { closeSync, fstatSync } from "node:fs";
import { BonafideError } from "@bonafide/errors";
import { UNIX_PEER_ERRORS } from "../errors.ts";
import { GROUPS_MAX } from "../limits.ts";
import type { Kernel } from "./kernel.ts";
import { koffiLibc } from "./koffi-libc.ts";
import type { Libc } from "./libc.ts";
import { readPidfdFacts, PIDFD_INFO_BYTES, pidfdInfoRequest } from "./pidfd-info.ts";
import { parsePeerInode, peerInodeRequest } from "./unix-diag.ts";

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERSEC = 31;
const SO_PEERGROUPS = 59;
const SO_PEERPIDFD = 77;
const SYS_PIDFD_OPEN = 434;
const PR_SET_DUMPABLE = 4;
const POLLIN = 1;

const EPERM = 1;
const ESRCH = 3;
const EINTR = 4;
const EINVAL = 22;
const ENOTTY = 25;
const ERANGE = 34;
const ENOSYS = 38;
const ENODATA = 61;
const EREMOTE = 66;
const ENOPROTOOPT = 92;

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const NETLINK_SOCK_DIAG = 4;

/**
 * The running kernel.
 *
 * @throws KERNEL_UNSUPPORTED  see {@link koffiLibc}
 */
export async function openKernel(): Promise<Kernel> {
  return linuxKernel(await koffiLibc());
}

/** The kernel behind a bound C library. One scratch buffer each: calls are synchronous, nothing is shared after. */
export function linuxKernel(libc: Libc): Kernel {
  const value = Buffer.alloc(64);
  const length = Buffer.alloc(4);
  const option = (fd: number, name: number, into: Buffer): number => {
    length.writeInt32LE(into.length);
    return libc.getsockopt(fd, SOL_SOCKET, name, into, length);
  };
  const failed = (call: string): BonafideError =>
    new BonafideError(UNIX_PEER_ERRORS, "KERNEL_CALL_FAILED", `the kernel refused ${call}`, {
      details: { call, errno: String(libc.errno()) },
    });

  /** A value of unknown length: asked again with the length the kernel names, once. */
  const variable = (fd: number, name: number, call: string): Buffer | "none" => {
    for (let into = Buffer.alloc(1024), tries = 0; ; tries++) {
      if (option(fd, name, into) === 0) return into.subarray(0, length.readInt32LE());
      const errno = libc.errno();
      if (errno === ENOPROTOOPT || errno === ENODATA) return "none";
      const wanted = length.readInt32LE();
      if (errno !== ERANGE || tries > 0 || wanted > GROUPS_MAX * 4) throw failed(call);
      into = Buffer.alloc(wanted);
    }
  };

  return {
    peerCredentials(fd) {
      if (option(fd, SO_PEERCRED, value.subarray(0, 12)) !== 0) throw failed("SO_PEERCRED");
      return {
        pid: value.readInt32LE(0),
        uid: value.readUInt32LE(4),
        gid: value.readUInt32LE(8),
      };
    },
    peerGroups(fd) {
      const bytes = variable(fd, SO_PEERGROUPS, "SO_PEERGROUPS");
      if (bytes === "none") return [];
      const groups = new Set<number>();
      for (let at = 0; at + 4 <= bytes.length; at += 4) groups.add(bytes.readUInt32LE(at));
      return [...groups].toSorted((a, b) => a - b);
    },
    peerPidfd(fd) {
      if (option(fd, SO_PEERPIDFD, value.subarray(0, 4)) === 0) return value.readInt32LE(0);
      switch (libc.errno()) {
        case ENOPROTOOPT:
          return "unsupported";
        case ESRCH:
        case EINVAL:
        case ENODATA:
          return "gone";
        default:
          throw failed("SO_PEERPIDFD");
      }
    },
    peerSecurityLabel(fd) {
      const bytes = variable(fd, SO_PEERSEC, "SO_PEERSEC");
      if (bytes === "none") return undefined;
      const text = bytes.toString("latin1").replace(/\0+$/, "");
      return text === "" ? undefined : text;
    },
    pidfdOpen(pid) {
      const fd = libc.syscall(SYS_PIDFD_OPEN, pid, 0);
      if (fd >= 0) return fd;
      switch (libc.errno()) {
        case ESRCH:
        case EINVAL:
          return "gone";
        case ENOSYS:
        case EPERM:
          return "unsupported";
        default:
          throw failed("pidfd_open");
      }
    },
    pidfdFacts(pidfd) {
      const facts = Buffer.alloc(PIDFD_INFO_BYTES);
      if (libc.ioctl(pidfd, pidfdInfoRequest(facts), facts) === 0) return readPidfdFacts(facts);
      switch (libc.errno()) {
        case ENOTTY:
        case EINVAL:
        case ENOSYS:
          return "unsupported";
        case EREMOTE:
          return "outside";
        case ESRCH:
          return "gone";
        default:
          throw failed("PIDFD_GET_INFO");
      }
    },
    hasExited(pidfd) {
      for (;;) {
        value.writeInt32LE(pidfd, 0);
        value.writeInt16LE(POLLIN, 4);
        value.writeInt16LE(0, 6);
        const ready = libc.poll(value.subarray(0, 8), 1, 0);
        if (ready >= 0) return ready > 0;
        if (libc.errno() !== EINTR) throw failed("poll");
      }
    },
    peerSocketInode(fd) {
      const { ino } = fstatSync(fd, { bigint: true });
      const request = peerInodeRequest(ino);
      const answer = Buffer.alloc(512);
      const netlink = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC_NONBLOCK, NETLINK_SOCK_DIAG);
      if (netlink < 0) return undefined;
      try {
        if (libc.send(netlink, request, request.length, 0) !== request.length) return undefined;
        const size = libc.recv(netlink, answer, answer.length, 0);
        return size <= 0 ? undefined : parsePeerInode(answer.subarray(0, size), ino);
      } finally {
        closeSync(netlink);
      }
    },
    makeNonDumpable() {
      if (libc.prctl(PR_SET_DUMPABLE, 0) !== 0) throw failed("PR_SET_DUMPABLE");
    },
  };
}
