/** Longest time the attestors of one observation may take, ms. */
export const ATTESTORS_MS_MAX = 2000;

/** Time after that in which an attestor may still hand in what it has, ms. */
export const ATTESTORS_GRACE_MS = 1000;

/** Observations of one uid at a time. */
export const OBSERVATIONS_PER_UID_MAX = 64;

/** Connections of one uid that wait to be looked at again: as many as there may be streams of all users. */
export const REOBSERVATIONS_WAITING_PER_UID_MAX = 16_384;

/** Times an observation is begun anew because the caller changed while it was looked at. */
export const OBSERVATION_TRIES_MAX = 3;

/** Selectors one attestor may give for one caller. */
export const SELECTORS_PER_ATTESTOR_MAX = 256;

/** Bytes of one selector's value. */
export const SELECTOR_VALUE_BYTES_MAX = 4096;

/** Supplementary groups turned into selectors; a caller with more gets none of them. */
export const GROUPS_MAX = 100;

/** Largest executable that is hashed, bytes. */
export const EXECUTABLE_BYTES_MAX: number = 512 * 1024 * 1024;

/** Digests of executables that are remembered. */
export const DIGESTS_MAX = 256;

/** Executables that may wait for their digest; each holds a descriptor. */
export const DIGESTS_WAITING_MAX = 256;

/** Executables of one uid's processes that may wait for their digest. */
export const DIGESTS_WAITING_PER_UID_MAX = 8;

/** Bytes of an executable that are hashed before it is another user's turn: some 20 ms. */
export const DIGEST_PIECE_BYTES: number = 8 * 1024 * 1024;

/** Largest /etc/passwd or /etc/group that is read, bytes. */
export const ACCOUNT_FILE_BYTES_MAX: number = 4 * 1024 * 1024;

/** Levels of a cgroup path that are looked at. */
export const CGROUP_LEVELS_MAX = 16;
