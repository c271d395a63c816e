import type { KeyObject } from "node:crypto";
import {
  encodePrivateKey,
  encodePublicKey,
  formatPem,
  generateKey,
  keyAlgorithmOf,
  parsePrivateKeyPem,
} from "@bonafide/pki";
import {
  type CanSignInProcess,
  checkKeySlot,
  HeldKeys,
  InProcessKeyManager,
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
    const held = new HeldKeys();
    for (const { slot, path, text } of await keys.readAll()) {
      options.signal?.throwIfAborted();
      const { key, privateKey } = parseKeyFile(slot, path, text);
      held.put(key, privateKey);
    }
    return new DiskKeyManager(keys, held);
  } catch (error) {
    await keys.close();
    throw error;
  }
}

function parseKeyFile(
  slot: string,
  path: string,
  text: string,
): { readonly key: ManagedKey; readonly privateKey: KeyObject } {
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
  return { key, privateKey };
}

class DiskKeyManager extends InProcessKeyManager {
  readonly name = "disk";
  readonly #folder: KeyFolder;
  /** The end of the queue of writes: they happen one after the other, in the order of the calls. */
  #writes: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(folder: KeyFolder, held: HeldKeys) {
    super(held);
    this.#folder = folder;
  }

  async generate(
    slot: string,
    algorithm: ManagedKeyAlgorithm,
    options?: Options,
  ): Promise<ManagedKey> {
    this.held.begin(options);
    checkKeySlot(slot);
    return this.#write(options, async () => {
      const { privateKey, spki } = generateKey(algorithm);
      const key = { slot, algorithm, spki };
      const pem = formatPem("PRIVATE KEY", encodePrivateKey(privateKey));
      await this.#folder.replace(slot, pem);
      this.held.put(key, privateKey);
      return key;
    });
  }

  async remove(slot: string, options?: Options): Promise<void> {
    this.held.begin(options);
    checkKeySlot(slot);
    await this.#write(options, async () => {
      await this.#folder.remove(slot);
      this.held.delete(slot);
    });
  }

  async close(): Promise<void> {
    this.#closed ??= this.#end();
    await this.#closed;
  }

  async #end(): Promise<void> {
    this.held.end();
    await this.#writes;
    this.held.close();
    await this.#folder.close();
  }

  /** Queues a write; a failure is its caller's and does not stop the next one. */
  async #write<T>(options: Options | undefined, work: () => Promise<T>): Promise<T> {
    const turn = this.#writes.then(async () => {
      options?.signal?.throwIfAborted();
      return work();
    });
    this.#writes = turn.catch(() => {
      // Whoever called holds the same promise, and its failure.
    });
    return turn;
  }
}
