import type { KeyObject } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import { keySigner, type Signer } from "@bonafide/pki";
import { KEY_MANAGER_ERRORS } from "./key-manager-errors.ts";
import type { ManagedKey } from "./key-manager.ts";
import { checkKeySlot, isSameManagedKey } from "./key-slot.ts";

interface Held {
  readonly key: ManagedKey;
  readonly signer: Signer;
}

type Options = { readonly signal?: AbortSignal };

/**
 * The keys that a key manager has in this process's memory, by slot: everything of a manager but making keys and
 * keeping them. After `close` every call but `close` fails with KEY_MANAGER_CLOSED.
 */
export class HeldKeys {
  readonly #slots = new Map<string, Held>();
  #isClosed = false;

  /** Fails what a manager is asked too late. @throws KEY_MANAGER_CLOSED, and the signal's reason if it aborted */
  begin({ signal }: Options = {}): void {
    signal?.throwIfAborted();
    if (!this.#isClosed) return;
    const message = "the key manager was closed";
    throw new BonafideError(KEY_MANAGER_ERRORS, "KEY_MANAGER_CLOSED", message);
  }

  /** Puts a key in its slot, in place of whatever is there. */
  put(key: ManagedKey, privateKey: KeyObject): void {
    this.#slots.set(key.slot, { key, signer: keySigner(privateKey) });
  }

  /** Empties a slot. */
  delete(slot: string): void {
    this.#slots.delete(slot);
  }

  /** The key in a slot. @throws KEY_MANAGER_CLOSED, KEY_SLOT_INVALID */
  find(slot: string, options?: Options): ManagedKey | undefined {
    this.begin(options);
    checkKeySlot(slot);
    return this.#slots.get(slot)?.key;
  }

  /** Every key, ordered by slot. @throws KEY_MANAGER_CLOSED */
  list(options?: Options): readonly ManagedKey[] {
    this.begin(options);
    return [...this.#slots.values()]
      .map(({ key }) => key)
      .toSorted((a, b) => (a.slot < b.slot ? -1 : 1));
  }

  /** Signs if the slot still holds this key. @throws KEY_MANAGER_CLOSED, KEY_NOT_FOUND */
  async sign(key: ManagedKey, message: Uint8Array, options?: Options): Promise<Uint8Array> {
    this.begin(options);
    return this.#held(key).signer.sign(message);
  }

  /** A signer for exactly this key, until `close`. @throws KEY_MANAGER_CLOSED, KEY_NOT_FOUND */
  signer(key: ManagedKey): Signer {
    this.begin();
    const { signer } = this.#held(key);
    return {
      ...signer,
      sign: (message) => {
        this.begin();
        return signer.sign(message);
      },
    };
  }

  /** From here on nothing more is begun; what is held still is. */
  end(): void {
    this.#isClosed = true;
  }

  /** Ends, and forgets every key. */
  close(): void {
    this.end();
    this.#slots.clear();
  }

  #held(key: ManagedKey): Held {
    const held = this.#slots.get(key.slot);
    if (held !== undefined && isSameManagedKey(held.key, key)) return held;
    const message = `key slot ${key.slot} does not hold this key`;
    throw new BonafideError(KEY_MANAGER_ERRORS, "KEY_NOT_FOUND", message);
  }
}
