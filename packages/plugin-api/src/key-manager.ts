import type { Signer } from "@bonafide/pki";

/** Kinds of key that a manager makes. */
export type ManagedKeyAlgorithm = "ec-p256" | "ed25519";

/** A key in a slot: its public half, which may be known by anybody. */
export interface ManagedKey {
  /** The slot, such as `x509-ca-a`: 1..64 characters of `a-z 0-9 -`, beginning with a letter. */
  readonly slot: string;
  readonly algorithm: ManagedKeyAlgorithm;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
}

/**
 * Holds private keys by slot and signs with them. A private key never leaves it.
 *
 * Contract:
 * - Safe for concurrent calls. Calls for one slot take effect in the order in which they were made.
 * - `generate` replaces the key of the slot, atomically: it resolves once the new key is as durable as the manager is,
 *   and when it fails the old key is still there and still signs.
 * - `sign` names the key, not the slot: after a slot was replaced, its old key is refused with KEY_NOT_FOUND, so that
 *   nothing is ever signed by a key that the caller did not mean.
 * - `find` and `list` answer with the newest state; a free slot is `undefined`, or not in the list. Order is by slot.
 * - `remove` of a free slot does nothing.
 * - After `close` every call fails with KEY_MANAGER_CLOSED; `close` is idempotent.
 * - No error and no log line holds key material.
 */
export interface KeyManager extends AsyncDisposable {
  /** Such as `disk`. */
  readonly name: string;
  /**
   * @throws KEY_SLOT_INVALID        the slot's name
   * @throws KEY_STORE_UNAVAILABLE   the key could not be kept; the old one still is
   */
  generate(
    slot: string,
    algorithm: ManagedKeyAlgorithm,
    options?: { readonly signal?: AbortSignal },
  ): Promise<ManagedKey>;
  /** @throws KEY_SLOT_INVALID */
  find(slot: string, options?: { readonly signal?: AbortSignal }): Promise<ManagedKey | undefined>;
  /** Every key, ordered by slot. */
  list(options?: { readonly signal?: AbortSignal }): Promise<readonly ManagedKey[]>;
  /**
   * Signs with the key if its slot still holds it: ECDSA over SHA-256 as DER, or Ed25519.
   *
   * @throws KEY_NOT_FOUND
   */
  sign(
    key: ManagedKey,
    message: Uint8Array,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Uint8Array>;
  /** @throws KEY_STORE_UNAVAILABLE */
  remove(slot: string, options?: { readonly signal?: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}

/** The ability of a manager whose keys are in this process's memory: signing without waiting. */
export interface CanSignInProcess {
  /**
   * A signer for exactly this key. It goes on signing with it after the slot was replaced, until the manager closes.
   *
   * @throws KEY_NOT_FOUND
   */
  signer(key: ManagedKey): Signer;
}

/** Whether a manager has the ability {@link CanSignInProcess}. */
export function canSignInProcess(manager: KeyManager): manager is KeyManager & CanSignInProcess {
  return "signer" in manager && typeof manager.signer === "function";
}
