import { sign } from "node:crypto";
import { BonafideError } from "@bonafide/errors";
import { type GeneratedKey, generateKey, keySigner } from "@bonafide/pki";
import {
  type CanSignInProcess,
  KEY_MANAGER_ERRORS,
  type KeyManager,
  type ManagedKey,
} from "@bonafide/plugin-api";

/** Keys in memory, for tests of this package, which may not import a plugin. */
export function createPlainKeys(): KeyManager & CanSignInProcess {
  const slots = new Map<string, { readonly key: ManagedKey; readonly made: GeneratedKey }>();
  const held = ({ slot, spki }: ManagedKey): GeneratedKey => {
    const found = slots.get(slot);
    if (found?.key.spki === spki) return found.made;
    throw new BonafideError(KEY_MANAGER_ERRORS, "KEY_NOT_FOUND", "no such key");
  };
  return {
    name: "plain",
    generate(slot, algorithm) {
      const made = generateKey(algorithm);
      const key = { slot, algorithm, spki: made.spki };
      slots.set(slot, { key, made });
      return Promise.resolve(key);
    },
    find: (slot) => Promise.resolve(slots.get(slot)?.key),
    list: () => Promise.resolve([...slots.values()].map(({ key }) => key)),
    sign(key, message) {
      const digest = key.algorithm === "ed25519" ? null : "sha256";
      return Promise.resolve(new Uint8Array(sign(digest, message, held(key).privateKey)));
    },
    remove(slot) {
      slots.delete(slot);
      return Promise.resolve();
    },
    signer: (key) => keySigner(held(key).privateKey),
    close: done,
    [Symbol.asyncDispose]: done,
  };
}

function done(): Promise<void> {
  return Promise.resolve();
}
