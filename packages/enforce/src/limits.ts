/** Most edges counted one by one; what comes beyond is folded, see `EdgeCounters`. */
export const EDGES_MAX = 10_000;

/** Most decision records that wait to be taken. */
export const RECORDS_MAX = 1000;

/** Longest method and path taken into a record, in characters. */
export const ASKED_CHARACTERS_MAX = 256;

/** Most workloads that may have passed a token on, the caller included. */
export const CHAIN_MAX = 32;

/** Most scopes of a token. */
export const SCOPES_MAX = 32;

/** Most grants of a token. */
export const GRANTS_MAX = 32;

/** Longest name of a user, in characters. */
export const USER_CHARACTERS_MAX = 256;

/** Most policies or faults of one edge in a record. */
export const POLICIES_RECORDED_MAX = 32;
