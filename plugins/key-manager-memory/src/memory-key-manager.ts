import type { CanSignInProcess, KeyManager } from "@bonafide/plugin-api";

/** Opens a key manager whose keys die with the process. */
export function createMemoryKeyManager(): KeyManager & CanSignInProcess {
  throw new Error("not yet");
}
