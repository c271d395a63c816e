/** Ids of the process that called connect, as the kernel noted them then (`SO_PEERCRED`). */
export interface PeerCredentials {
  /** In our pid namespace; 0 when the process has no number there. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What `PIDFD_GET_INFO` tells about a live process. */
export interface PidfdFacts {
  readonly pid: number;
  readonly tgid: number;
  readonly parentPid: number;
  /** Effective ids. */
  readonly uid: number;
  readonly gid: number;
  /** Id of the process's cgroup v2, equal to the inode of its directory; undefined without one. */
  readonly cgroupId: bigint | undefined;
}

/** Calls of the kernel that a test may pretend are missing. */
export type OptionalCall = "SO_PEERPIDFD" | "PIDFD_GET_INFO" | "UNIX_DIAG";

/**
 * Everything this project asks of the kernel that Node does not offer (ADR-0050).
 *
 * All calls are synchronous and take microseconds. Absences that are part of ordinary life are values; everything
 * else throws KERNEL_CALL_FAILED with `details.call` and `details.errno`.
 */
export interface Kernel {
  /** `SO_PEERCRED`. */
  peerCredentials(socketFd: number): PeerCredentials;
  /** `SO_PEERGROUPS`: the supplementary groups at connect, ascending and without doubles. */
  peerGroups(socketFd: number): readonly number[];
  /** `SO_PEERPIDFD`: a new descriptor, close-on-exec, of the caller's; `unsupported` before Linux 6.5. */
  peerPidfd(socketFd: number): number | "unsupported" | "gone";
  /** `SO_PEERSEC`: the security label, undefined where no security module gives one. */
  peerSecurityLabel(socketFd: number): string | undefined;
  /** `pidfd_open(2)`: a new descriptor, close-on-exec, of the caller's. */
  pidfdOpen(pid: number): number | "unsupported" | "gone";
  /** `PIDFD_GET_INFO`; `unsupported` before Linux 6.13, `outside` for a process of a foreign pid namespace. */
  pidfdFacts(pidfd: number): PidfdFacts | "unsupported" | "gone" | "outside";
  /** Whether the process of this pidfd has exited, be it reaped or not. */
  hasExited(pidfd: number): boolean;
  /** Inode of the socket at the other end, by `UNIX_DIAG`; undefined where the kernel does not say. */
  peerSocketInode(socketFd: number): bigint | undefined;
  /** `PR_SET_DUMPABLE` 0: no core dump, no ptrace by the same uid, `/proc/self` owned by root. */
  makeNonDumpable(): void;
}
