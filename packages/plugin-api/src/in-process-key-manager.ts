import type { Signer } from "@bonafide/pki";
import { HeldKeys } from "./held-keys.ts";
import type {
  CanSignInProcess,
  KeyManager,
  ManagedKey,
  ManagedKeyAlgorithm,
} from "./key-manager.ts";

type Options = { readonly signal?: AbortSignal };

/** What key managers whose keys are in this process's memory do alike: finding and signing. Making and keeping differ. */
export abstract class InProcessKeyManager implements KeyManager, CanSignInProcess {
  abstract readonly name: string;
  /** The keys. */
  protected readonly held: HeldKeys;

  constructor(held: HeldKeys = new HeldKeys()) {
    this.held = held;
  }

  abstract generate(
    slot: string,
    algorithm: ManagedKeyAlgorithm,
    options?: Options,
  ): Promise<ManagedKey>;

  async find(slot: string, options?: Options): Promise<ManagedKey | undefined> {
    return this.held.find(slot, options);
  }

  async list(options?: Options): Promise<readonly ManagedKey[]> {
    return this.held.list(options);
  }

  async sign(key: ManagedKey, message: Uint8Array, options?: Options): Promise<Uint8Array> {
    return this.held.sign(key, message, options);
  }

  abstract remove(slot: string, options?: Options): Promise<void>;

  signer(key: ManagedKey): Signer {
    return this.held.signer(key);
  }

  abstract close(): Promise<void>;

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
