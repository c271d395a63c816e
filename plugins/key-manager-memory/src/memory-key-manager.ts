import { generateKey, type Signer } from "@bonafide/pki";
import {
  type CanSignInProcess,
  checkKeySlot,
  HeldKeys,
  type KeyManager,
  type ManagedKey,
  type ManagedKeyAlgorithm,
} from "@bonafide/plugin-api";

type Options = { readonly signal?: AbortSignal };

/** Opens a key manager whose keys die with the process. */
export function createMemoryKeyManager(): KeyManager & CanSignInProcess {
  return new MemoryKeyManager();
}

class MemoryKeyManager implements KeyManager, CanSignInProcess {
  readonly name = "memory";
  readonly #held = new HeldKeys();

  async generate(
    slot: string,
    algorithm: ManagedKeyAlgorithm,
    options?: Options,
  ): Promise<ManagedKey> {
    this.#held.begin(options);
    checkKeySlot(slot);
    const { privateKey, spki } = generateKey(algorithm);
    const key = { slot, algorithm, spki };
    this.#held.put(key, privateKey);
    return key;
  }

  async find(slot: string, options?: Options): Promise<ManagedKey | undefined> {
    return this.#held.find(slot, options);
  }

  async list(options?: Options): Promise<readonly ManagedKey[]> {
    return this.#held.list(options);
  }

  async sign(key: ManagedKey, message: Uint8Array, options?: Options): Promise<Uint8Array> {
    return this.#held.sign(key, message, options);
  }

  async remove(slot: string, options?: Options): Promise<void> {
    this.#held.begin(options);
    checkKeySlot(slot);
    this.#held.delete(slot);
  }

  signer(key: ManagedKey): Signer {
    return this.#held.signer(key);
  }

  async close(): Promise<void> {
    this.#held.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
