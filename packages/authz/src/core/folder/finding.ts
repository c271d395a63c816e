/**
 * Which rule something breaks: R1-R9 are the rules of ownership, the others say that a file cannot be read or
 * contradicts another.
 */
export type FindingRule =
  | "syntax"
  | "model"
  | "R1"
  | "R2"
  | "R3"
  | "R4"
  | "R5"
  | "R6"
  | "R7"
  | "R9";

/** One fault of a folder, for a person to mend. */
export interface Finding {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly rule: FindingRule;
  readonly reason: string;
}

/** The line of the first place where a text stands in a file, counted from 1; 1 if it does not. */
export function lineOf(text: string, part: string): number {
  const at = text.indexOf(part);
  return at === -1 ? 1 : text.slice(0, at).split("\n").length;
}
