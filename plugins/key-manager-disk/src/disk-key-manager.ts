import type { KeyObject } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import {
  encodePrivateKey,
  encodePublicKey,
  formatPem,
  generateKey,
  keyAlgorithmOf,
  keySigner,
  parsePrivateKeyPem,
  type Signer,
} from "@bonafide/pki";
import {
  type CanSignInProcess,
  checkKeySlot,
  isSameManagedKey,
  KEY_MANAGER_ERRORS,
  type KeyManager,
  type ManagedKey,
  type ManagedKeyAlgorithm,
} from "@bonafide/plugin-api";
import { corruptKeyFile, KeyFolder } from "./key-folder.ts";

/** Options of {@link openDiskKeyManager}. */
export interface DiskKeyManagerOptions {
  /** Ends the opening, not the manager. */
  readonly signal?: AbortSignal;
}

interface Held {
  readonly key: ManagedKey;
  readonly signer: Signer;
}

type Options = { readonly signal?: AbortSignal };

/**
 * Opens a key manager that keeps each key in a file of its own, `SLOT.pem` (PKCS#8, mode 0600).
 *
 * One process at a time: whoever owns the data folder holds its lock.
 *
 * @param folder  Absolute path; made with mode 0700 when missing (its parent must exist).
 * @throws KEY_STORE_UNSAFE       the folder or a file is a link, is not ours, or is open to others
 * @throws KEY_STORE_CORRUPT      a file cannot be read as a key; the message names it and how to mend it
 * @throws KEY_STORE_UNAVAILABLE  the disk does not answer
 */
export async function openDiskKeyManager(
  folder: string,
  options: DiskKeyManagerOptions = {},
): Promise<KeyManager & CanSignInProcess> {
  options.signal?.throwIfAborted();
  const keys = await KeyFolder.open(folder);
  try {
    const slots = new Map<string, Held>();
    for (const { slot, path, text } of await keys.readAll()) {
      options.signal?.throwIfAborted();
      slots.set(slot, parseHeld(slot, path, text));
    }
    return new DiskKeyManager(keys, slots);
  } catch (error) {
    await keys.close();
    throw error;
  }
}

function parseHeld(slot: string, path: string, text: string): Held {
  let privateKey: KeyObject;
  try {
    privateKey = parsePrivateKeyPem(text);
  } catch {
    // No cause: an error about the content could quote it.
    throw corruptKeyFile(path);
  }
  const algorithm = keyAlgorithmOf(privateKey);
  if (algorithm !== "ec-p256" && algorithm !== "ed25519") throw corruptKeyFile(path);
  const key = { slot, algorithm, spki: encodePublicKey(privateKey) };
  return { key, signer: keySigner(privateKey) };
}

class DiskKeyManager implements KeyManager, CanSignInProcess {
  readonly name = "disk";
  readonly #folder: KeyFolder;
  readonly #slots: Map<string, Held>;
  /** The end of the queue of writes: they happen one after the other, in the order of the calls. */
  #writes: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(folder: KeyFolder, slots: Map<string, Held>) {
    this.#folder = folder;
    this.#slots = slots;
  }

  async generate(
    slot: string,
    algorithm: ManagedKeyAlgorithm,
    options: Options = {},
  ): Promise<ManagedKey> {
    this.#begin(options);
    checkKeySlot(slot);
    return this.#write(options, async () => {
      const { privateKey, spki } = generateKey(algorithm);
      const key = { slot, algorithm, spki };
      const pem = formatPem("PRIVATE KEY", encodePrivateKey(privateKey));
      await this.#folder.replace(slot, pem);
      this.#slots.set(slot, { key, signer: keySigner(privateKey) });
      return key;
    });
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
    await this.#write(options, async () => {
      await this.#folder.remove(slot);
      this.#slots.delete(slot);
    });
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
    this.#closed ??= this.#end();
    await this.#closed;
  }

  async #end(): Promise<void> {
    await this.#writes;
    this.#slots.clear();
    await this.#folder.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #begin(options: Options): void {
    options.signal?.throwIfAborted();
    if (this.#closed === undefined) return;
    const message = "the key manager was closed";
    throw new BonafideError(KEY_MANAGER_ERRORS, "KEY_MANAGER_CLOSED", message);
  }

  /** Queues a write; a failure is its caller's and does not stop the next one. */
  async #write<T>(options: Options, work: () => Promise<T>): Promise<T> {
    const turn = this.#writes.then(async () => {
      options.signal?.throwIfAborted();
      return work();
    });
    this.#writes = turn.catch(() => {
      // Whoever called holds the same promise, and its failure.
    });
    return turn;
  }

  #held(key: ManagedKey): Held {
    const held = this.#slots.get(key.slot);
    if (held !== undefined && isSameManagedKey(held.key, key)) return held;
    const message = `key slot ${key.slot} does not hold this key`;
    throw new BonafideError(KEY_MANAGER_ERRORS, "KEY_NOT_FOUND", message);
  }
}
