/** Most rows or leaves of one answer. */
export const PAGE_MAX = 10_000;
/** Most leaves of one append: a batch of the lane, or an epoch that re-appends 4096 lost leaves. */
export const APPEND_LEAVES_MAX = 8192;
/** Most selectors or trust domains in one filter. */
export const FILTER_WORDS_MAX = 1000;
/** Most soft states of one write. */
export const SOFT_STATES_MAX = 10_000;
