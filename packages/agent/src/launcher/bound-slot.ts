import type { HeldProcess, Kernel } from "@bonafide/unix-peer";
import type { SlotRecord } from "./core/slot-record.ts";
import { ANCHORS_MAX } from "./limits.ts";
import { holdMembers, statOf, ticksSinceBoot } from "./session.ts";

/** Which process asks; as the kernel and procfs name it. */
export interface SlotCaller {
  readonly pid: number;
  readonly pidfdInode: bigint | undefined;
  /** Undefined where procfs is closed to the agent. */
  readonly startTicks: bigint | undefined;
  readonly sessionId: number | undefined;
}

/**
 * A slot whose process has come. Covers that process, and the members of its session for as long as somebody who is
 * shown to be in it holds the session's number.
 */
export class BoundSlot {
  readonly record: SlotRecord;
  readonly #kernel: Kernel;
  readonly #leader: HeldProcess;
  /** Ticks at which the session's number was last shown to be held. */
  #heldAt: bigint;
  #anchors: HeldProcess[] = [];
  #ended = false;

  /** Takes the hold over. */
  constructor(kernel: Kernel, record: SlotRecord, leader: HeldProcess) {
    this.#kernel = kernel;
    this.record = record;
    this.#leader = leader;
    this.#heldAt = ticksSinceBoot();
  }

  /** Whether the session still has a member that is shown to be of it. False is final. */
  live(): boolean {
    if (this.#ended) return false;
    const now = ticksSinceBoot();
    if (this.#leader.alive()) {
      this.#heldAt = now;
      return true;
    }
    const before = this.#anchors.length;
    this.#dropAnchors();
    // An anchor that still is in the session holds its number: everybody born until now is of this session.
    if (this.#anchors.length > 0) this.#heldAt = now;
    if (this.#anchors.length === 0 || this.#anchors.length < before) this.#addAnchors();
    if (this.#anchors.length > 0) return true;
    this.end();
    return false;
  }

  /** Whether this slot says anything about the caller. */
  covers(caller: SlotCaller): boolean {
    if (!this.live()) return false;
    if (this.#isLeader(caller)) return true;
    return caller.sessionId === this.record.pid;
  }

  /** Releases what it holds. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#leader.close();
    for (const anchor of this.#anchors) anchor.close();
    this.#anchors = [];
  }

  #isLeader(caller: SlotCaller): boolean {
    const { pid, pidfdInode, startTicks } = this.record;
    if (pidfdInode !== undefined) return caller.pidfdInode === pidfdInode;
    return caller.pid === pid && caller.startTicks === startTicks && this.#leader.alive();
  }

  #dropAnchors(): void {
    this.#anchors = this.#anchors.filter((anchor) => {
      if (statOf(anchor)?.sessionId === this.record.pid) return true;
      anchor.close();
      return false;
    });
  }

  #addAnchors(): void {
    const known = new Set(this.#anchors.map((anchor) => anchor.pid));
    for (const member of holdMembers(this.#kernel, this.record.pid, this.#heldAt)) {
      if (known.has(member.pid) || this.#anchors.length >= ANCHORS_MAX) member.close();
      else this.#anchors.push(member);
    }
  }
}
