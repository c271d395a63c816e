import type { HoldReason } from "./core/reconcile.ts";

const WHAT: Readonly<Record<HoldReason, string>> = {
  fork: "this server and the database went on differently from one state",
  "beyond-memory": "the database holds none of the states that this server remembers",
  "rewind-too-large": "the database lost more changes than are put back without a person",
  "other-database": "this is another database, and it lacks changes that this server remembers",
};

/** What the operator reads when a server is held. Names the two ways out. */
export function holdMessage(
  reason: HoldReason,
  place: {
    readonly remembered: number;
    readonly stored: number;
    readonly branch: number | undefined;
  },
): string {
  const { remembered, stored, branch } = place;
  const common = branch === undefined ? "none in common" : `the same up to ${branch}`;
  return (
    `${WHAT[reason]} (remembered: ${remembered} changes, stored: ${stored}, ${common}). ` +
    "Nothing is written until this is settled: put the right database back and restart, or, if " +
    "this one is meant to be the truth from now on, run `bonafide ledger accept-rewind`"
  );
}
