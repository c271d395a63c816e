import { generateKey } from "@bonafide/pki";
import { HeldKeys } from "../held-keys.ts";
import type { CanSignInProcess, KeyManager } from "../key-manager.ts";
import { checkKeySlot } from "../key-slot.ts";

/** A key manager for tests of packages that may not import a plugin; it passes the same contract. */
export function openMemoryKeyManager(): KeyManager & CanSignInProcess {
  const held = new HeldKeys();
  const close = async (): Promise<void> => held.close();
  return {
    name: "memory",
    async generate(slot, algorithm, options) {
      held.begin(options);
      checkKeySlot(slot);
      const { privateKey, spki } = generateKey(algorithm);
      const key = { slot, algorithm, spki };
      held.put(key, privateKey);
      return key;
    },
    find: async (slot, options) => held.find(slot, options),
    list: async (options) => held.list(options),
    sign: (key, message, options) => held.sign(key, message, options),
    async remove(slot, options) {
      held.begin(options);
      checkKeySlot(slot);
      held.delete(slot);
    },
    signer: (key) => held.signer(key),
    close,
    [Symbol.asyncDispose]: close,
  };
}
