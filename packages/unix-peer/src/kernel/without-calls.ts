import type { Kernel, OptionalCall } from "./kernel.ts";

/**
 * The same kernel without some calls, as an older one would be. For tests and rehearsals: it can only make the answer
 * weaker, never stronger.
 */
export function withoutCalls(kernel: Kernel, missing: readonly OptionalCall[]): Kernel {
  return {
    peerCredentials: (fd) => kernel.peerCredentials(fd),
    peerGroups: (fd) => kernel.peerGroups(fd),
    peerPidfd: (fd) => (missing.includes("SO_PEERPIDFD") ? "unsupported" : kernel.peerPidfd(fd)),
    peerSecurityLabel: (fd) => kernel.peerSecurityLabel(fd),
    pidfdOpen: (pid) => kernel.pidfdOpen(pid),
    pidfdFacts: (fd) =>
      missing.includes("PIDFD_GET_INFO") ? "unsupported" : kernel.pidfdFacts(fd),
    hasExited: (fd) => kernel.hasExited(fd),
    peerSocketInode: (fd) =>
      missing.includes("UNIX_DIAG") ? undefined : kernel.peerSocketInode(fd),
    makeNonDumpable: () => {
      kernel.makeNonDumpable();
    },
  };
}
