import { generateKey } from "@bonafide/pki";
import {
  type CanSignInProcess,
  checkKeySlot,
  InProcessKeyManager,
  type KeyManager,
  type ManagedKey,
  type ManagedKeyAlgorithm,
} from "@bonafide/plugin-api";

type Options = { readonly signal?: AbortSignal };

/** Opens a key manager whose keys die with the process. */
export function createMemoryKeyManager(): KeyManager & CanSignInProcess {
  return new MemoryKeyManager();
}

class MemoryKeyManager extends InProcessKeyManager {
  readonly name = "memory";

  async generate(
    slot: string,
    algorithm: ManagedKeyAlgorithm,
    options?: Options,
  ): Promise<ManagedKey> {
    this.held.begin(options);
    checkKeySlot(slot);
    const { privateKey, spki } = generateKey(algorithm);
    const key = { slot, algorithm, spki };
    this.held.put(key, privateKey);
    return key;
  }

  async remove(slot: string, options?: Options): Promise<void> {
    this.held.begin(options);
    checkKeySlot(slot);
    this.held.delete(slot);
  }

  async close(): Promise<void> {
    this.held.close();
  }
}
