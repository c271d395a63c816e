/** Slots for servers in an epoch number; a server only ever opens epochs that are its slot modulo this. */
export const EPOCH_SLOTS = 16;

/** The first epoch of a ledger is above this, so that epoch 0 means nothing but the leaf that names the ledger. */
export const EPOCH_BEFORE_FIRST = 15;

/**
 * The next epoch that a server may open: past all that it knows of, and never one that another server could choose.
 *
 * @param known  The highest epoch that this server ever saw, told or chose.
 * @param slot   This server's slot, 0..slots-1.
 */
export function nextEpoch(known: number, slot: number, slots: number = EPOCH_SLOTS): number {
  const next = known + 1;
  return next + ((((slot - next) % slots) + slots) % slots);
}
