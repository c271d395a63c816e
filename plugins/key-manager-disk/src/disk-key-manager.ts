import type { CanSignInProcess, KeyManager } from "@bonafide/plugin-api";

/** Options of {@link openDiskKeyManager}. */
export interface DiskKeyManagerOptions {
  readonly signal?: AbortSignal;
}

/**
 * Opens a key manager that keeps each key in a file of its own.
 *
 * @param folder  Absolute path; made with mode 0700 when missing (its parent must exist).
 * @throws KEY_STORE_UNSAFE       the folder or a file is a link, is not ours, or is open to others
 * @throws KEY_STORE_CORRUPT      a file cannot be read as a key; the message names it and how to mend it
 * @throws KEY_STORE_UNAVAILABLE  the disk does not answer
 */
export function openDiskKeyManager(
  folder: string,
  options: DiskKeyManagerOptions = {},
): Promise<KeyManager & CanSignInProcess> {
  throw new Error(`not yet ${folder} ${options.signal?.aborted ?? false}`);
}
