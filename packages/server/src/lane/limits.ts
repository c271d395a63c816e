/** Changes that may wait for the lane; more are refused with STORE_BUSY. */
export const LANE_QUEUE_MAX = 4096;
/** Leaves of one ordinary append. */
export const LANE_BATCH_MAX = 256;
/** Changes of one proposal, which are all written or none. */
export const PROPOSAL_CHANGES_MAX = 256;
/** Leaves that a reader asks for at once. */
export const REPLAY_PAGE = 2048;
/** Times that one batch is planned anew because another server was faster, before it is refused. */
export const MOVED_MAX = 100;
