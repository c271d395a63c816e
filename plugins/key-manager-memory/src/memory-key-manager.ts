import { BonafideError } from "@bonafide/errors";
import { generateKey, keySigner, type Signer } from "@bonafide/pki";
import {
  type CanSignInProcess,
  checkKeySlot,
  isSameManagedKey,
  KEY_MANAGER_ERRORS,
  type KeyManager,
  type ManagedKey,
  type ManagedKeyAlgorithm,
} from "@bonafide/plugin-api";

interface Held {
  readonly key: ManagedKey;
  readonly signer: Signer;
}

type Options = { readonly signal?: AbortSignal };

/** Opens a key manager whose keys die with the process. */
export function createMemoryKeyManager(): KeyManager & CanSignInProcess {
  return new MemoryKeyManager();
}

class MemoryKeyManager implements KeyManager, CanSignInProcess {
  readonly name = "memory";
  readonly #slots = new Map<string, Held>();
  #closed = false;

  async generate(
    slot: string,
    algorithm: ManagedKeyAlgorithm,
    options: Options = {},
  ): Promise<ManagedKey> {
    this.#begin(options);
    checkKeySlot(slot);
    const { privateKey, spki } = generateKey(algorithm);
    const key = { slot, algorithm, spki };
    this.#slots.set(slot, { key, signer: keySigner(privateKey) });
    return key;
  }

  async find(slot: string, options: Options = {}): Promise<ManagedKey | undefined> {
    this.#begin(options);
    checkKeySlot(slot);
    return this.#slots.get(slot)?.key;
  }

  async list(options: Options = {}): Promise<readonly ManagedKey[]> {
    this.#begin(options);
    return [...this.#slots.values()]
      .map(({ key }) => key)
      .toSorted((a, b) => (a.slot < b.slot ? -1 : 1));
  }

  async sign(key: ManagedKey, message: Uint8Array, options: Options = {}): Promise<Uint8Array> {
    this.#begin(options);
    return this.#held(key).signer.sign(message);
  }

  async remove(slot: string, options: Options = {}): Promise<void> {
    this.#begin(options);
    checkKeySlot(slot);
    this.#slots.delete(slot);
  }

  signer(key: ManagedKey): Signer {
    this.#begin({});
    const { signer } = this.#held(key);
    return {
      ...signer,
      sign: (message) => {
        this.#begin({});
        return signer.sign(message);
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#slots.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #begin(options: Options): void {
    options.signal?.throwIfAborted();
    if (!this.#closed) return;
    const message = "the key manager was closed";
    throw new BonafideError(KEY_MANAGER_ERRORS, "KEY_MANAGER_CLOSED", message);
  }

  #held(key: ManagedKey): Held {
    const held = this.#slots.get(key.slot);
    if (held !== undefined && isSameManagedKey(held.key, key)) return held;
    const message = `key slot ${key.slot} does not hold this key`;
    throw new BonafideError(KEY_MANAGER_ERRORS, "KEY_NOT_FOUND", message);
  }
}
