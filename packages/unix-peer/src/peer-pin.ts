/**
 * How surely a caller's facts belong to the process that connected:
 * `pidfd` the kernel itself named it, `proven` it was opened by number and shown to hold the connection's other end,
 * `unpinned` opened by number only, so that a reused number could stand for it.
 */
export type PeerPin = "pidfd" | "proven" | "unpinned";
