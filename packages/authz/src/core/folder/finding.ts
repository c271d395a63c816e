/**
 * Which rule something breaks: R1-R9 are the rules of ownership, the others say that a file cannot be read,
 * contradicts another, or holds a policy that does not fit the schema.
 */
export type FindingRule =
  | "syntax"
  | "model"
  | "schema"
  | "R1"
  | "R2"
  | "R3"
  | "R4"
  | "R5"
  | "R6"
  | "R7"
  | "R8"
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

/** The line where a list's item of this `id` stands in a YAML file, counted from 1. */
export function lineOfId(text: string, id: string): number {
  // `RegExp.escape` is newer than the oldest Node that we run on.
  const literal = id.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  const found = new RegExp(`id: *["']?${literal}(?![\\w-])`).exec(text);
  return lineOf(text, found?.[0] ?? id);
}

/** Told what is wrong in a file, a text to find the line by, and the rule if it is not `model`. */
export type Report = (reason: string, part: string, rule?: FindingRule) => void;
