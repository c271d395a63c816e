import { closeSync, fstatSync, readFileSync, statfsSync } from "node:fs";
import { BonafideError } from "@bonafide/errors";
import { UNIX_PEER_ERRORS } from "./errors.ts";
import type { Kernel, PidfdFacts } from "./kernel/kernel.ts";
import type { PeerPin } from "./peer-pin.ts";
import { ProcessDirectory } from "./process-directory.ts";
import { parseEffectiveIds, parseProcessStat } from "./process-stat.ts";
import { holdsPeerSocket } from "./socket-proof.ts";

/** Options of {@link UnixPeer.open}. */
export interface UnixPeerOptions {
  /** Refuses a caller that is only known by number; default: true for root, else false (ADR-0051). */
  readonly requirePinnedPeer?: boolean;
}

/** The uid and gid that stand for every id without a mapping in our user namespace. */
const OVERFLOW_ID = 65_534;

const PIDFS_MAGIC = 0x5049_4446;

/**
 * The process that connected, held so that it cannot be confused with a later one of the same number.
 *
 * Ids, groups and label are those of the moment of `connect`, from the kernel. Holds one descriptor until
 * {@link UnixPeer.close}. All methods are synchronous and take microseconds.
 *
 * @stability stable
 */
export class UnixPeer implements Disposable {
  /** In our pid namespace. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, ascending. */
  readonly groups: readonly number[];
  /** Security module's label, undefined without one. */
  readonly securityLabel: string | undefined;
  /** How surely this is the process that connected. */
  readonly pin: PeerPin;
  /** Names this process uniquely since boot (pidfs, Linux 6.9); undefined before. */
  readonly pidfdInode: bigint | undefined;
  readonly #kernel: Kernel;
  readonly #pidfd: number;
  #open = true;

  private constructor(kernel: Kernel, socketFd: number, pidfd: number, pin: PeerPin) {
    this.#kernel = kernel;
    this.#pidfd = pidfd;
    this.pin = pin;
    const { pid, uid, gid } = kernel.peerCredentials(socketFd);
    this.pid = pid;
    this.uid = uid;
    this.gid = gid;
    this.groups = kernel.peerGroups(socketFd);
    this.securityLabel = kernel.peerSecurityLabel(socketFd);
    this.pidfdInode = pidfsInode(pidfd);
  }

  /**
   * Identifies the caller of an accepted socket. To be called in the turn that accepted it.
   *
   * @param socketFd  Descriptor of the accepted socket; stays the caller's.
   * @throws PEER_OUTSIDE_PID_NAMESPACE  the caller has no number in our pid namespace
   * @throws PEER_ID_UNMAPPED            its uid or gid has no mapping in our user namespace
   * @throws PEER_GONE                   it has exited
   * @throws PEER_NOT_PINNED             it is known by number only, and that is not enough here
   * @throws KERNEL_CALL_FAILED          the kernel refused a question
   */
  static open(kernel: Kernel, socketFd: number, options: UnixPeerOptions = {}): UnixPeer {
    const { pid, uid, gid } = kernel.peerCredentials(socketFd);
    if (pid === 0) throw outside();
    if (uid === OVERFLOW_ID || gid === OVERFLOW_ID) {
      throw new BonafideError(
        UNIX_PEER_ERRORS,
        "PEER_ID_UNMAPPED",
        `the caller's ids are ${uid}:${gid}, which stand for any id unknown here`,
        { details: { cause: "caller.id_unmapped", uid: String(uid), gid: String(gid) } },
      );
    }
    const { pidfd, pin } = pinProcess(kernel, socketFd, pid);
    try {
      if (kernel.pidfdFacts(pidfd) === "outside") throw outside();
      if (pidOfPidfd(pidfd) !== pid) throw gone(pid);
      const required = options.requirePinnedPeer ?? process.geteuid?.() === 0;
      if (pin === "unpinned" && required) {
        throw new BonafideError(
          UNIX_PEER_ERRORS,
          "PEER_NOT_PINNED",
          "this kernel does not tell for certain which process is calling",
          { details: { cause: "caller.not_pinned" } },
        );
      }
      const peer = new UnixPeer(kernel, socketFd, pidfd, pin);
      peer.assertAlive();
      return peer;
    } catch (error) {
      closeSync(pidfd);
      throw error;
    }
  }

  /** Whether the process still runs; false after close. */
  alive(): boolean {
    return this.#open && !this.#kernel.hasExited(this.#pidfd);
  }

  /** @throws PEER_GONE  the process has exited */
  assertAlive(): void {
    if (!this.alive()) throw gone(this.pid);
  }

  /**
   * Opens the process's directory in procfs, shown to be its own.
   *
   * @throws PEER_GONE  the process has exited
   * @throws the system's error when it is alive and its directory cannot be opened (`hidepid`)
   */
  openDirectory(): ProcessDirectory {
    this.assertAlive();
    let directory: ProcessDirectory;
    try {
      directory = ProcessDirectory.open(this.pid);
    } catch (error) {
      this.assertAlive();
      throw error;
    }
    // The pidfd alone keeps no number reserved: only a process alive now, after the open, owns what was opened.
    if (!this.alive()) {
      directory[Symbol.dispose]();
      throw gone(this.pid);
    }
    return directory;
  }

  /**
   * What the kernel says of the process by its pidfd now; undefined where it cannot (before Linux 6.13).
   *
   * @throws PEER_GONE, PEER_OUTSIDE_PID_NAMESPACE
   */
  facts(): PidfdFacts | undefined {
    this.assertAlive();
    const facts = this.#kernel.pidfdFacts(this.#pidfd);
    if (facts === "gone") throw gone(this.pid);
    if (facts === "outside") throw outside();
    return facts === "unsupported" ? undefined : facts;
  }

  /**
   * Shows that the process has the ids it connected with, by its pidfd, or where the kernel cannot say, by procfs.
   *
   * @param directory  The process's own, used for the second way; undefined where it could not be opened.
   * @throws PEER_IDS_CHANGED  it has other ids now, e.g. it became a setuid program
   * @throws PEER_NOT_PINNED   neither way was open
   * @throws PEER_GONE
   */
  assertSameIds(directory: ProcessDirectory | undefined): void {
    const facts = this.facts();
    const now = facts ?? (directory === undefined ? undefined : readIds(directory));
    this.assertAlive();
    if (now === undefined) {
      throw new BonafideError(
        UNIX_PEER_ERRORS,
        "PEER_NOT_PINNED",
        "the ids of the calling process cannot be checked here",
        { details: { cause: "caller.ids_unreadable" } },
      );
    }
    if (
      now.uid !== this.uid ||
      now.gid !== this.gid ||
      (facts !== undefined && facts.tgid !== this.pid)
    ) {
      throw new BonafideError(
        UNIX_PEER_ERRORS,
        "PEER_IDS_CHANGED",
        `the process connected as ${this.uid}:${this.gid} and is ${now.uid}:${now.gid} now`,
        {
          details: {
            cause: "caller.ids_changed",
            connected: `${this.uid}:${this.gid}`,
            now: `${now.uid}:${now.gid}`,
          },
        },
      );
    }
  }

  /** Releases the descriptor. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#pidfd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function pinProcess(
  kernel: Kernel,
  socketFd: number,
  pid: number,
): { readonly pidfd: number; readonly pin: PeerPin } {
  const named = kernel.peerPidfd(socketFd);
  if (named === "gone") throw gone(pid);
  if (named !== "unsupported") return { pidfd: named, pin: "pidfd" };
  const opened = kernel.pidfdOpen(pid);
  if (opened === "gone") throw gone(pid);
  if (opened === "unsupported") {
    throw new BonafideError(
      UNIX_PEER_ERRORS,
      "PEER_NOT_PINNED",
      "this kernel gives no descriptor of the calling process",
      { details: { cause: "caller.not_pinned" } },
    );
  }
  // Shown after the pidfd was taken: the process that has the number now holds the connection's other end.
  return { pidfd: opened, pin: holdsPeerSocket(kernel, socketFd, pid) ? "proven" : "unpinned" };
}

/** Number of a pidfd's process in our namespace: -1 once reaped, 0 outside of it. */
function pidOfPidfd(pidfd: number): number {
  const text = readFileSync(`/proc/self/fdinfo/${pidfd}`, "latin1");
  return Number(/^Pid:\t(-?\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

/** Before pidfs every pidfd has the same inode, which says nothing. */
function pidfsInode(pidfd: number): bigint | undefined {
  const { type } = statfsSync(`/proc/self/fd/${pidfd}`);
  return type === PIDFS_MAGIC ? fstatSync(pidfd, { bigint: true }).ino : undefined;
}

function readIds(directory: ProcessDirectory): { uid: number; gid: number } | undefined {
  try {
    if (parseProcessStat(directory.text("stat"))?.state === "Z") return undefined;
    return parseEffectiveIds(directory.text("status"));
  } catch {
    // Unreadable is told apart from changed by the caller; both refuse.
    return undefined;
  }
}

function gone(pid: number): BonafideError {
  return new BonafideError(UNIX_PEER_ERRORS, "PEER_GONE", `the calling process ${pid} has ended`, {
    details: { cause: "caller.gone" },
  });
}

function outside(): BonafideError {
  return new BonafideError(
    UNIX_PEER_ERRORS,
    "PEER_OUTSIDE_PID_NAMESPACE",
    "the calling process has no number in the pid namespace of the agent",
    { details: { cause: "caller.outside_pid_namespace" } },
  );
}
