import { BonafideError } from "@bonafide/errors";
import { UNIX_PEER_ERRORS } from "./errors.ts";
import { HeldProcess } from "./held-process.ts";
import type { Kernel, PidfdFacts } from "./kernel/kernel.ts";
import { overflowIds } from "./overflow-ids.ts";
import type { PeerPin } from "./peer-pin.ts";
import { because, peerGone, peerNotPinned, peerOutside } from "./peer-refusals.ts";
import type { ProcessDirectory } from "./process-directory.ts";
import { parseEffectiveIds, parseGroups, parseProcessStat } from "./process-stat.ts";
import { holdsPeerSocket } from "./socket-proof.ts";

/** Options of {@link UnixPeer.open}. */
export interface UnixPeerOptions {
  /** Refuses a caller that is only known by number; default: true for root, else false (ADR-0051). */
  readonly requirePinnedPeer?: boolean;
}

interface PeerIds {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly securityLabel: string | undefined;
}

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
  readonly #held: HeldProcess;

  private constructor(held: HeldProcess, pin: PeerPin, ids: PeerIds) {
    this.#held = held;
    this.pid = held.pid;
    this.pin = pin;
    this.uid = ids.uid;
    this.gid = ids.gid;
    this.groups = ids.groups;
    this.securityLabel = ids.securityLabel;
  }

  /**
   * Identifies the caller of an accepted socket. To be called in the turn that accepted it.
   *
   * @param socketFd  Descriptor of the accepted socket; stays the caller's.
   * @throws PEER_OUTSIDE_PID_NAMESPACE  the caller has no number in our pid namespace
   * @throws PEER_ID_UNMAPPED            its uid or gid has no mapping in our user namespace
   * @throws PEER_GONE                   it has ended
   * @throws PEER_NOT_PINNED             it is known by number only, and that is not enough here
   * @throws KERNEL_CALL_FAILED          the kernel refused a question
   */
  static open(kernel: Kernel, socketFd: number, options: UnixPeerOptions = {}): UnixPeer {
    const { pid, uid, gid } = kernel.peerCredentials(socketFd);
    if (pid === 0) throw peerOutside();
    assertMapped(uid, gid);
    const { held, pin } = pinProcess(kernel, socketFd, pid);
    try {
      const required = options.requirePinnedPeer ?? process.geteuid?.() === 0;
      if (pin === "unpinned" && required) {
        // One that has ended, or is about to, holds no connection any more: that is the reason then.
        assertNotEnding(held);
        throw peerNotPinned(
          "this kernel does not tell for certain which process is calling",
          "caller.not_pinned",
        );
      }
      const groups = kernel.peerGroups(socketFd);
      const securityLabel = kernel.peerSecurityLabel(socketFd);
      held.assertAlive();
      return new UnixPeer(held, pin, { uid, gid, groups, securityLabel });
    } catch (error) {
      held.close();
      throw error;
    }
  }

  /**
   * The process that has a number now, as if it called: for an operator who asks what it would get. Never for a caller.
   *
   * @throws PEER_GONE, PEER_ID_UNMAPPED, PEER_NOT_PINNED
   */
  static ofProcess(kernel: Kernel, pid: number): UnixPeer {
    const held = HeldProcess.open(kernel, pid);
    try {
      using directory = held.openDirectory();
      const status = directory.text("status");
      const ids = parseEffectiveIds(status);
      held.assertAlive();
      if (ids === undefined) throw peerGone(pid);
      assertMapped(ids.uid, ids.gid);
      const groups = parseGroups(status);
      return new UnixPeer(held, "pidfd", { ...ids, groups, securityLabel: undefined });
    } catch (error) {
      held.close();
      throw error;
    }
  }

  /** Names this process uniquely since boot (pidfs, Linux 6.9); undefined before. */
  get pidfdInode(): bigint | undefined {
    return this.#held.pidfdInode;
  }

  /** Whether the process still runs; false after close. */
  alive(): boolean {
    return this.#held.alive();
  }

  /** @throws PEER_GONE  the process has ended */
  assertAlive(): void {
    this.#held.assertAlive();
  }

  /** A hold of the process that outlives this peer. @throws PEER_GONE, PEER_NOT_PINNED */
  hold(): HeldProcess {
    return this.#held.hold();
  }

  /** See {@link HeldProcess.openDirectory}. */
  openDirectory(): ProcessDirectory {
    return this.#held.openDirectory();
  }

  /** See {@link HeldProcess.facts}. */
  facts(): PidfdFacts | undefined {
    return this.#held.facts();
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
      throw peerNotPinned(
        "the ids of the calling process cannot be checked here",
        "caller.ids_unreadable",
      );
    }
    const isSameGroup = facts === undefined || facts.tgid === this.pid;
    if (now.uid === this.uid && now.gid === this.gid && isSameGroup) return;
    const connected = `${this.uid}:${this.gid}`;
    const present = `${now.uid}:${now.gid}`;
    throw new BonafideError(
      UNIX_PEER_ERRORS,
      "PEER_IDS_CHANGED",
      `the process connected as ${connected} and is ${present} now`,
      { details: because("caller.ids_changed", { connected, now: present }) },
    );
  }

  /** Releases the descriptor. Idempotent. */
  close(): void {
    this.#held.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function assertMapped(uid: number, gid: number): void {
  const { uids, gids, allMapped } = overflowIds();
  if (!uids.has(uid) && !gids.has(gid)) return;
  throw new BonafideError(
    UNIX_PEER_ERRORS,
    "PEER_ID_UNMAPPED",
    `the caller's ids are ${uid}:${gid}, which stand for any id unknown here`,
    {
      details: because("caller.id_unmapped", {
        uid: String(uid),
        gid: String(gid),
        // Where every id is mapped it is the account nobody, and not somebody unknown.
        allMapped: String(allMapped),
      }),
    },
  );
}

function pinProcess(
  kernel: Kernel,
  socketFd: number,
  pid: number,
): { readonly held: HeldProcess; readonly pin: PeerPin } {
  const named = kernel.peerPidfd(socketFd);
  if (named === "gone") throw peerGone(pid);
  if (named !== "unsupported") {
    return { held: HeldProcess.adopt(kernel, named, pid), pin: "pidfd" };
  }
  const held = HeldProcess.open(kernel, pid);
  // Shown after the pidfd was taken: the process that has the number now holds the connection's other end.
  return { held, pin: holdsPeerSocket(kernel, socketFd, pid) ? "proven" : "unpinned" };
}

/** @throws PEER_GONE */
function assertNotEnding(held: HeldProcess): void {
  let isEnding = false;
  try {
    using directory = held.openDirectory();
    isEnding = parseProcessStat(directory.text("stat"))?.isEnding === true;
  } catch {
    // Closed to us, or gone: the latter is asked for next.
  }
  held.assertAlive();
  if (isEnding) throw peerGone(held.pid);
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
