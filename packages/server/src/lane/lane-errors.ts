import type { ErrorTable } from "@bonafide/errors";

/** Failure codes of the write lane. */
export const LANE_ERRORS = {
  /** Too many changes wait already. */
  STORE_BUSY: { status: "unavailable", retry: true },
  /** The store and what this server remembers disagree in a way that only a person can settle. */
  LEDGER_HELD: { status: "failed_precondition", retry: false },
  /** The lane was closed. */
  LANE_CLOSED: { status: "unavailable", retry: false },
  /** A proposal that no caller may make: too many changes, an object removed that is not there. A bug. */
  PROPOSAL_INVALID: { status: "internal", retry: false },
} as const;
LANE_ERRORS satisfies ErrorTable;

/** One of the lane's failure codes. */
export type LaneErrorCode = keyof typeof LANE_ERRORS;
