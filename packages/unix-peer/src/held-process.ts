import { closeSync, fstatSync, readFileSync, statfsSync } from "node:fs";
import type { Kernel, PidfdFacts } from "./kernel/kernel.ts";
import { peerGone, peerNotPinned, peerOutside } from "./peer-refusals.ts";
import { ProcessDirectory } from "./process-directory.ts";

const PIDFS_MAGIC = 0x5049_4446;

/**
 * A process held by a pidfd: whatever is asked of it, the answer is of this process and of no later one of its number.
 * Holds one descriptor until close. All methods are synchronous and take microseconds.
 */
export class HeldProcess implements Disposable {
  /** In our pid namespace. */
  readonly pid: number;
  /** Names this process uniquely since boot (pidfs, Linux 6.9); undefined before. */
  readonly pidfdInode: bigint | undefined;
  readonly #kernel: Kernel;
  readonly #pidfd: number;
  #open = true;

  /** Takes the descriptor over, also when it throws. */
  private constructor(kernel: Kernel, pidfd: number, pid: number) {
    this.#kernel = kernel;
    this.#pidfd = pidfd;
    this.pid = pid;
    this.pidfdInode = pidfsInode(pidfd);
  }

  /**
   * Takes over a pidfd that is said to be of this process.
   *
   * @throws PEER_GONE, PEER_OUTSIDE_PID_NAMESPACE  it is not; the descriptor is closed
   */
  static adopt(kernel: Kernel, pidfd: number, pid: number): HeldProcess {
    try {
      if (kernel.pidfdFacts(pidfd) === "outside") throw peerOutside();
      if (pidOfPidfd(pidfd) !== pid) throw peerGone(pid);
      return new HeldProcess(kernel, pidfd, pid);
    } catch (error) {
      closeSync(pidfd);
      throw error;
    }
  }

  /**
   * Holds the process that has this number now.
   *
   * @throws PEER_GONE        there is none
   * @throws PEER_NOT_PINNED  this kernel gives no descriptor of a process
   */
  static open(kernel: Kernel, pid: number): HeldProcess {
    const pidfd = kernel.pidfdOpen(pid);
    if (pidfd === "gone") throw peerGone(pid);
    if (pidfd === "unsupported") {
      throw peerNotPinned("this kernel gives no descriptor of a process", "caller.not_pinned");
    }
    return HeldProcess.adopt(kernel, pidfd, pid);
  }

  /** A second, independent hold of the same process. @throws PEER_GONE, PEER_NOT_PINNED */
  hold(): HeldProcess {
    const held = HeldProcess.open(this.#kernel, this.pid);
    // Alive after the second was opened: the number was its own all the while.
    if (this.alive()) return held;
    held.close();
    throw peerGone(this.pid);
  }

  /** Whether the process still runs; false after close. */
  alive(): boolean {
    return this.#open && !this.#kernel.hasExited(this.#pidfd);
  }

  /** @throws PEER_GONE  the process has ended */
  assertAlive(): void {
    if (!this.alive()) throw peerGone(this.pid);
  }

  /**
   * Opens the process's directory in procfs, shown to be its own.
   *
   * @throws PEER_GONE  the process has ended
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
    // A pidfd reserves no number: only a process alive now, after the open, owns what was opened.
    if (this.alive()) return directory;
    directory[Symbol.dispose]();
    throw peerGone(this.pid);
  }

  /**
   * What the kernel says of the process by its pidfd now; undefined where it cannot (before Linux 6.13).
   *
   * @throws PEER_GONE, PEER_OUTSIDE_PID_NAMESPACE
   */
  facts(): PidfdFacts | undefined {
    this.assertAlive();
    const facts = this.#kernel.pidfdFacts(this.#pidfd);
    if (facts === "gone") throw peerGone(this.pid);
    if (facts === "outside") throw peerOutside();
    return facts === "unsupported" ? undefined : facts;
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
