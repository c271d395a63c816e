import type { ErrorTable } from "@bonafide/errors";

/** Failure codes of the ledger's bytes and of a ledger that cannot be trusted as read. */
export const LEDGER_ERRORS = {
  /** Not 80 bytes of format 1, or a field out of its range. */
  LEAF_MALFORMED: { status: "data_loss", retry: false },
  /** A leaf of a format that this version cannot read. */
  LEAF_FORMAT_UNKNOWN: { status: "failed_precondition", retry: false },
  /** The column beside a leaf is not two parts, or a part is no message of its kind. */
  BODY_MALFORMED: { status: "data_loss", retry: false },
  /** An epoch, an n or a wire number out of range. */
  LEDGER_NUMBER_RANGE: { status: "out_of_range", retry: false },
  /** A proof was asked for a leaf or a size that the tree does not have. */
  PROOF_RANGE: { status: "out_of_range", retry: false },
  /** Leaves do not lead to the root that the store states, or do not extend what was adopted before. */
  LEDGER_FORKED: { status: "data_loss", retry: false },
  /** A leaf must be understood and is not: a newer version of this program is needed. */
  LEDGER_TOO_NEW: { status: "failed_precondition", retry: false },
} as const;
LEDGER_ERRORS satisfies ErrorTable;

/** One of the ledger's failure codes. */
export type LedgerErrorCode = keyof typeof LEDGER_ERRORS;
