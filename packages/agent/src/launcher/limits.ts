/** Time a nonce is good for, ms. */
export const REDEEM_MS = 10_000;

/** Longest time a launcher may ask for, ms. */
export const REDEEM_MS_MAX = 60_000;

/** Random bytes of a nonce. */
export const NONCE_BYTES = 32;

/** Slots of one agent, waiting and bound. */
export const SLOTS_MAX = 4096;

/** Slots of one launcher's uid that wait to be redeemed. */
export const WAITING_PER_UID_MAX = 64;

/** Time between two looks at bound processes, ms. */
export const SWEEP_MS = 1000;

/** Members held of a session whose leader has ended. */
export const ANCHORS_MAX = 16;

/** Processes looked at in search of a session's members. */
export const PROCESSES_MAX = 65_536;

/** Bytes of the file of slots. */
export const SLOTS_FILE_BYTES_MAX: number = 4 * 1024 * 1024;
