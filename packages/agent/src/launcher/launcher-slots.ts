import type { UnixPeer } from "@bonafide/unix-peer";

/** What a slot says of a process: who started it, and under which name. */
export interface LaunchedAs {
  readonly name: string;
  /** Uid of the launcher, from its socket. */
  readonly launcherUid: number;
}

/** Why a slot ended. */
export type SlotEnd =
  | "slot.expired"
  | "slot.launcher_gone"
  | "slot.session_empty"
  | "slot.agent_stopped";

/** What happens to a slot, in this order; `redeemed` may be missing. */
export type SlotEvent =
  | { readonly kind: "opened"; readonly slotId: string; readonly nonce: Uint8Array }
  | { readonly kind: "redeemed"; readonly pid: number; readonly uid: number }
  | { readonly kind: "closed"; readonly reason: SlotEnd };

/** The slots of one agent. */
export interface LauncherSlots extends AsyncDisposable {
  /**
   * Opens a slot for one process that the caller is about to start. Ending the iteration closes a slot that was not
   * redeemed; a redeemed one lives as long as its session.
   *
   * @throws SLOT_NAME_INVALID, SLOT_NOT_PERMITTED, SLOTS_EXCEEDED
   */
  open(
    launcher: UnixPeer,
    request: { readonly name: string; readonly redeemWithinMs?: number },
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<SlotEvent>;
  /**
   * Binds the calling process and its session to the slot of this nonce.
   *
   * @throws SLOT_UNKNOWN          no such nonce, used already, or too late; one text for all
   * @throws SLOT_REDEEMER_UNFIT   the caller is no child of the launcher, or leads no session of its own
   */
  redeem(
    caller: UnixPeer,
    nonce: Uint8Array,
  ): Promise<{ readonly slotId: string; readonly name: string }>;
  /** Ends all waiting; bound slots stay on disk. Idempotent. */
  close(): Promise<void>;
}
