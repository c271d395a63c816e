import type { KeyObject } from "node:crypto";
import { encodePrivateKey, generateKey, parsePrivateKey } from "@bonafide/pki";
import { readPrivateFile, removePrivateFile, writePrivateFile } from "./private-file.ts";

/** The key of a join that is under way: on disk before the token is spent, so that a crash in between loses nothing. */
export class JoinKey {
  readonly #path: string;

  /** @param path  In the data folder; the file is 0600. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The key of the join that was begun, or a new one that is kept. @throws AGENT_STATE_UNAVAILABLE */
  async begin(): Promise<{ readonly privateKey: KeyObject }> {
    const held = await readPrivateFile(this.#path);
    if (held !== undefined) return { privateKey: parsePrivateKey(held) };
    const fresh = generateKey("ec-p256");
    await writePrivateFile(this.#path, encodePrivateKey(fresh.privateKey));
    return fresh;
  }

  /** Forgets it: the join succeeded, or never will. @throws AGENT_STATE_UNAVAILABLE */
  end(): Promise<void> {
    return removePrivateFile(this.#path);
  }
}
