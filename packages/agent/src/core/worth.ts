import type { Grade, ObservedSelector } from "@bonafide/plugin-api";
import { type Entry, selectorText } from "./entry.ts";

/** Weakest first. */
const GRADES: readonly Grade[] = ["label", "user", "boundary"];

/**
 * What an entry's identity is worth for this caller: the strongest grade among its selectors, since whoever wants the
 * identity has to have them all.
 */
export function entryGrade(entry: Entry, observed: readonly ObservedSelector[]): Grade {
  const grades = new Map(observed.map((selector) => [selectorText(selector), selector.grade]));
  let best: Grade = "label";
  for (const selector of entry.selectors) {
    const grade = grades.get(selectorText(selector)) ?? "label";
    if (GRADES.indexOf(grade) > GRADES.indexOf(best)) best = grade;
  }
  return best;
}

/** One line: how far a caller's identities are kept apart from other processes of the node. */
export function describeWorth(
  entries: readonly Entry[],
  observed: readonly ObservedSelector[],
  uid: number,
): string {
  if (entries.length === 0) return "no identity";
  const weakest =
    GRADES[Math.min(...entries.map((entry) => GRADES.indexOf(entryGrade(entry, observed))))];
  switch (weakest) {
    case "boundary":
      return "kept apart: by facts that other code of the same user cannot take on";
    case "user":
      return `kept apart: by user (${uid}), a boundary against other unprivileged users`;
    default:
      return `kept apart: by label only; any process of uid ${uid} could take these identities. Fine for trying out; see docs/attestation.md`;
  }
}
