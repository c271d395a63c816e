import { createHash, randomBytes, randomUUID } from "node:crypto";
import { BonafideError, isBonafideError } from "@bonafide/errors";
import { type Clock, every, type Log, silentLog } from "@bonafide/lifetime";
import {
  HeldProcess,
  type Kernel,
  type ProcessDirectory,
  type UnixPeer,
} from "@bonafide/unix-peer";
import { BoundSlot, type SlotCaller } from "./bound-slot.ts";
import { isSlotName, mayRegister, type NamePermission } from "./core/slot-name.ts";
import type { SlotRecord } from "./core/slot-record.ts";
import { LAUNCHER_ERRORS } from "./errors.ts";
import {
  NONCE_BYTES,
  REDEEM_MS,
  REDEEM_MS_MAX,
  SLOTS_MAX,
  SWEEP_MS,
  WAITING_PER_UID_MAX,
} from "./limits.ts";
import { bootId, statOf } from "./session.ts";
import { noSlotsFile, type SlotsFile } from "./slots-file.ts";

/** What a slot says of a process: who started it, and under which name. */
export interface LaunchedAs {
  readonly slotId: string;
  readonly name: string;
  /** Uid of the launcher, from its socket. */
  readonly launcherUid: number;
}

/** Why a slot ended. */
export type SlotEnd =
  | "slot.expired"
  | "slot.launcher_gone"
  | "slot.redeemer_unfit"
  | "slot.session_empty"
  | "slot.agent_stopped";

/** What happens to a slot, in this order; `redeemed` may be missing. */
export type SlotEvent =
  | { readonly kind: "opened"; readonly slotId: string; readonly nonce: Uint8Array }
  | { readonly kind: "redeemed"; readonly pid: number; readonly uid: number }
  | { readonly kind: "closed"; readonly reason: SlotEnd };

/** Points at which a test may kill the agent. */
export type LauncherPoint = "slot-opened" | "slot-matched" | "slot-bound" | "slot-kept";

/** Dependencies of {@link LauncherSlots}. */
export interface LauncherSlotsDeps {
  readonly clock: Clock;
  readonly kernel: Kernel;
  /** Default: slots end with the agent. */
  readonly file?: SlotsFile;
  /** Default: nothing is logged. */
  readonly log?: Log;
}

/** Options of {@link LauncherSlots}. */
export interface LauncherSlotsOptions {
  /** Default: the agent's own uid and root may give every name. */
  readonly permissions?: readonly NamePermission[];
  /** Called at each point; default: nothing. */
  readonly at?: (point: LauncherPoint) => void;
}

/** What is asked of a slot. */
export interface OpenSlotOptions {
  /** ms, default 10000, at most 60000. */
  readonly redeemWithinMs?: number;
  /** Ends the wait; a slot that is not redeemed ends with it. */
  readonly signal?: AbortSignal;
}

interface Waiting {
  readonly slotId: string;
  readonly name: string;
  readonly launcherUid: number;
  readonly launcher: HeldProcess;
  readonly settle: (outcome: BoundSlot | SlotEnd) => void;
}

/**
 * The slots of one agent: which process was started under which name, by whom. A launcher opens a slot, its child
 * redeems the nonce over a connection of its own; no number and no descriptor is passed, so there is nothing to race.
 */
export class LauncherSlots implements AsyncDisposable {
  readonly #deps: LauncherSlotsDeps;
  readonly #file: SlotsFile;
  readonly #permissions: readonly NamePermission[];
  readonly #at: (point: LauncherPoint) => void;
  readonly #bootId = bootId();
  /** By SHA-256 of the nonce: at rest nothing here can be redeemed. */
  readonly #waiting = new Map<string, Waiting>();
  /** By session, which is the pid of the process that redeemed. */
  readonly #bound = new Map<number, BoundSlot>();
  readonly #ended = new Map<BoundSlot, (reason: SlotEnd) => void>();
  readonly #closing = new AbortController();
  #writing: Promise<void> = Promise.resolve();
  /** Whether the file still names slots that have ended. */
  #stale = false;

  private constructor(deps: LauncherSlotsDeps, options: LauncherSlotsOptions) {
    this.#deps = deps;
    this.#file = deps.file ?? noSlotsFile();
    const own = process.geteuid?.() ?? 0;
    this.#permissions =
      options.permissions ?? [...new Set([0, own])].map((uid) => ({ uid, names: ["*"] }));
    this.#at = options.at ?? (() => {});
  }

  /** Reads the kept slots back; what cannot be shown to be the same process of the same boot is dropped. */
  static async open(
    deps: LauncherSlotsDeps,
    options: LauncherSlotsOptions = {},
  ): Promise<LauncherSlots> {
    const slots = new LauncherSlots(deps, options);
    const records = await slots.#file.read();
    for (const record of records) slots.#restore(record);
    // What ended while no agent ran leaves the file with the first sweep.
    slots.#stale = slots.#bound.size < records.length;
    return slots;
  }

  /**
   * Opens a slot for one process that the caller is about to start. Ending the iteration, or `signal`, ends a slot that
   * was not redeemed; a redeemed one lives as long as its session.
   *
   * @throws SLOT_NAME_INVALID, SLOT_NOT_PERMITTED, SLOTS_EXCEEDED
   * @throws PEER_GONE, PEER_IDS_CHANGED  the launcher is not who connected
   */
  async *slot(
    launcher: UnixPeer,
    name: string,
    options: OpenSlotOptions = {},
  ): AsyncGenerator<SlotEvent, void, void> {
    this.#assertMayOpen(launcher, name);
    const withinMs = Math.min(options.redeemWithinMs ?? REDEEM_MS, REDEEM_MS_MAX);
    const nonce = randomBytes(NONCE_BYTES);
    const key = hashOf(nonce);
    const slotId = randomUUID();
    const outcome = Promise.withResolvers<BoundSlot | SlotEnd>();
    const over = new AbortController();
    const given = options.signal === undefined ? [] : [options.signal];
    const signal = AbortSignal.any([over.signal, this.#closing.signal, ...given]);
    using held = launcher.hold();
    this.#waiting.set(key, {
      slotId,
      name,
      launcherUid: launcher.uid,
      launcher: held,
      settle: outcome.resolve,
    });
    void this.#expire(withinMs, signal, (reason) => {
      // Too late from now on, whether or not anybody reads the event.
      this.#waiting.delete(key);
      outcome.resolve(reason);
    });
    let bound: BoundSlot | undefined;
    try {
      this.#at("slot-opened");
      yield { kind: "opened", slotId, nonce };
      const first = await outcome.promise;
      if (typeof first === "string") {
        yield { kind: "closed", reason: first };
        return;
      }
      bound = first;
      const end = Promise.withResolvers<SlotEnd>();
      this.#ended.set(bound, end.resolve);
      signal.addEventListener(
        "abort",
        () => {
          end.resolve("slot.agent_stopped");
        },
        { once: true },
      );
      yield { kind: "redeemed", pid: bound.record.pid, uid: bound.record.uid };
      yield { kind: "closed", reason: await end.promise };
    } finally {
      this.#waiting.delete(key);
      if (bound !== undefined) this.#ended.delete(bound);
      over.abort();
    }
  }

  /**
   * Binds the calling process and its session to the slot of this nonce. The nonce is spent by the first try.
   *
   * @throws SLOT_UNKNOWN         no such nonce, spent, or too late; one text for all
   * @throws SLOT_REDEEMER_UNFIT  the caller is no child of the launcher, or leads no session of its own
   * @throws PEER_GONE, PEER_IDS_CHANGED
   */
  async redeem(caller: UnixPeer, nonce: Uint8Array): Promise<LaunchedAs> {
    const key = hashOf(nonce);
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    if (waiting === undefined) {
      throw new BonafideError(LAUNCHER_ERRORS, "SLOT_UNKNOWN", "no slot waits for this process");
    }
    this.#at("slot-matched");
    let bound: BoundSlot | undefined;
    try {
      bound = this.#bind(caller, waiting);
      this.#at("slot-bound");
      // Durable before the answer: a child that goes on has its name after a crash of the agent too.
      await this.#keep();
      this.#at("slot-kept");
      waiting.settle(bound);
      return launchedAs(bound);
    } catch (error) {
      if (bound !== undefined) {
        bound.end();
        this.#bound.delete(bound.record.pid);
      }
      waiting.settle("slot.redeemer_unfit");
      throw error;
    }
  }

  /** What is known of a process; undefined for one that no slot covers. */
  find(caller: SlotCaller): LaunchedAs | undefined {
    const own = this.#bound.get(caller.pid);
    if (own?.covers(caller) === true) return launchedAs(own);
    const { sessionId } = caller;
    const session = sessionId === undefined ? undefined : this.#bound.get(sessionId);
    return session?.covers(caller) === true ? launchedAs(session) : undefined;
  }

  /**
   * Ends slots whose session is empty, until `signal`. One of the agent's tasks; a disk that cannot be written does not
   * end it, since a record of an ended process is dropped at the next start anyway; the log says so.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log = silentLog } = this.#deps;
    const failed = (error: unknown): void => {
      log({ level: "warn", event: "slots.not_kept", error });
    };
    await every({ clock, ms: SWEEP_MS, failed }, () => this.sweep(), signal);
  }

  /** One look at all bound slots. @throws AGENT_STATE_UNAVAILABLE  the change could not be kept */
  async sweep(): Promise<void> {
    for (const [session, slot] of this.#bound) {
      if (slot.live()) continue;
      this.#bound.delete(session);
      this.#ended.get(slot)?.("slot.session_empty");
      this.#stale = true;
    }
    if (!this.#stale) return;
    await this.#keep();
    this.#stale = false;
  }

  /** Ends all waiting; bound slots stay in the file for the next start. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { settle } of this.#waiting.values()) settle("slot.agent_stopped");
    this.#waiting.clear();
    for (const slot of this.#bound.values()) slot.end();
    this.#bound.clear();
    await this.#writing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #assertMayOpen(launcher: UnixPeer, name: string): void {
    if (!isSlotName(name)) {
      throw new BonafideError(
        LAUNCHER_ERRORS,
        "SLOT_NAME_INVALID",
        "a name is 1 to 4 parts of [a-z0-9][a-z0-9._-]{0,62}, joined by slashes",
      );
    }
    if (!mayRegister(this.#permissions, launcher.uid, name)) {
      throw new BonafideError(
        LAUNCHER_ERRORS,
        "SLOT_NOT_PERMITTED",
        `uid ${launcher.uid} may not start workloads as ${name}`,
        { details: { uid: String(launcher.uid), name } },
      );
    }
    assertIds(launcher);
    let ofUid = 0;
    for (const { launcherUid } of this.#waiting.values()) {
      if (launcherUid === launcher.uid) ofUid++;
    }
    if (ofUid < WAITING_PER_UID_MAX && this.#waiting.size + this.#bound.size < SLOTS_MAX) return;
    throw new BonafideError(LAUNCHER_ERRORS, "SLOTS_EXCEEDED", "too many slots are open");
  }

  async #expire(ms: number, signal: AbortSignal, settle: (reason: SlotEnd) => void): Promise<void> {
    try {
      await this.#deps.clock.sleep(ms, { signal, unref: true });
      settle("slot.expired");
    } catch {
      settle(this.#closing.signal.aborted ? "slot.agent_stopped" : "slot.launcher_gone");
    }
  }

  #bind(caller: UnixPeer, { slotId, name, launcherUid, launcher }: Waiting): BoundSlot {
    assertIds(caller);
    const held = caller.hold();
    const stat = statOf(held);
    const parentPid = caller.facts()?.parentPid ?? stat?.parentPid;
    // The launcher lives: its number is its own, so a child of that number is its child.
    const isChild = parentPid === launcher.pid && launcher.alive();
    if (stat === undefined || !isChild || stat.sessionId !== caller.pid) {
      held.close();
      throw new BonafideError(
        LAUNCHER_ERRORS,
        "SLOT_REDEEMER_UNFIT",
        "only a child of the launcher that leads its own session may take the slot",
      );
    }
    const record: SlotRecord = {
      slotId,
      name,
      launcherUid,
      pid: caller.pid,
      uid: caller.uid,
      startTicks: stat.startTicks,
      pidfdInode: held.pidfdInode,
      bootId: this.#bootId,
    };
    return this.#add(new BoundSlot(this.#deps.kernel, record, held));
  }

  #add(slot: BoundSlot): BoundSlot {
    // A process leads a session of its own number only when no earlier session has it any more.
    this.#bound.get(slot.record.pid)?.end();
    this.#bound.set(slot.record.pid, slot);
    return slot;
  }

  #restore(record: SlotRecord): void {
    if (record.bootId !== this.#bootId || this.#bound.size >= SLOTS_MAX) return;
    let held: HeldProcess;
    try {
      held = HeldProcess.open(this.#deps.kernel, record.pid);
    } catch {
      return;
    }
    const stat = statOf(held);
    if (
      stat?.startTicks === record.startTicks &&
      stat.sessionId === record.pid &&
      held.pidfdInode === record.pidfdInode
    ) {
      this.#add(new BoundSlot(this.#deps.kernel, record, held));
    } else held.close();
  }

  /** Writes one after the other; a later write holds everything an earlier one did. */
  #keep(): Promise<void> {
    const next = this.#writing
      .catch(() => {
        // Whoever asked for that write was told.
      })
      .then(() => this.#file.write([...this.#bound.values()].map(({ record }) => record)));
    this.#writing = next.catch(() => {
      // The next write starts anew.
    });
    return next;
  }
}

function launchedAs({ record }: BoundSlot): LaunchedAs {
  return { slotId: record.slotId, name: record.name, launcherUid: record.launcherUid };
}

function hashOf(nonce: Uint8Array): string {
  return createHash("sha256").update(nonce).digest("hex");
}

function assertIds(peer: UnixPeer): void {
  using directory = openDirectory(peer);
  peer.assertSameIds(directory);
}

/** Undefined where procfs is closed to the agent; the pidfd then has to do. */
function openDirectory(peer: UnixPeer): ProcessDirectory | undefined {
  try {
    return peer.openDirectory();
  } catch (error) {
    if (isBonafideError(error)) throw error;
    return undefined;
  }
}
