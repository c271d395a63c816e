import { BonafideError } from "@bonafide/errors";
import { KEY_MANAGER_ERRORS } from "./key-manager-errors.ts";
import type { ManagedKey } from "./key-manager.ts";

const SLOT = /^[a-z][a-z0-9-]{0,63}$/;

/** Whether text is the name of a slot: 1..64 characters of `a-z 0-9 -`, beginning with a letter; so also a file name. */
export function isKeySlot(text: string): boolean {
  return SLOT.test(text);
}

/**
 * Checks the name of a slot.
 *
 * @throws KEY_SLOT_INVALID
 */
export function checkKeySlot(slot: string): void {
  if (isKeySlot(slot)) return;
  const message = "a key slot has 1 to 64 characters of a-z, 0-9 and -, beginning with a letter";
  throw new BonafideError(KEY_MANAGER_ERRORS, "KEY_SLOT_INVALID", message);
}

/** Whether two descriptions are of one key in one slot. */
export function isSameManagedKey(a: ManagedKey, b: ManagedKey): boolean {
  return (
    a.slot === b.slot &&
    a.spki.length === b.spki.length &&
    a.spki.every((octet, index) => octet === b.spki[index])
  );
}
