import type { Grade, ObservedSelector, OmittedFact, OmissionReason } from "@bonafide/plugin-api";
import type { Observation, ObservationChange } from "../observation.ts";

/** Reasons that lie in the moment or in the configuration, not in the caller. */
const PASSING: readonly OmissionReason[] = [
  "attestor.name_unresolved",
  "attestor.timed_out",
  "attestor.not_wanted",
  "attestor.failed",
];

/** Sorts by type and value and takes doubles away; of two the weaker grade stays. */
export function sealSelectors(found: readonly ObservedSelector[]): readonly ObservedSelector[] {
  const byName = new Map<string, ObservedSelector>();
  for (const selector of found) {
    const name = `${selector.type}:${selector.value}`;
    const other = byName.get(name);
    if (other === undefined || isWeaker(selector.grade, other.grade)) byName.set(name, selector);
  }
  return [...byName.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, s]) => s);
}

/** A process known by number only is told apart from others by accident, not by force. */
export function asLabels(selectors: readonly ObservedSelector[]): readonly ObservedSelector[] {
  return selectors.map((selector) => ({ ...selector, grade: "label" as const }));
}

const ORDER: readonly Grade[] = ["label", "user", "boundary"];

/** Whether grade `a` holds against less than `b`. */
export function isWeaker(a: Grade, b: Grade): boolean {
  return ORDER.indexOf(a) < ORDER.indexOf(b);
}

/** The kind of a selector as omissions name it: `unix:path` of `unix:path:/bin/x`. */
function factOf(selector: { readonly type: string; readonly value: string }): string {
  const end = selector.value.indexOf(":");
  return `${selector.type}:${end < 0 ? selector.value : selector.value.slice(0, end)}`;
}

function isPassing(omitted: readonly OmittedFact[], fact: string): boolean {
  return omitted.some(
    (entry) =>
      PASSING.includes(entry.reason) && (entry.fact === fact || fact.startsWith(`${entry.fact}:`)),
  );
}

/**
 * What changed about a caller. A fact that could not be looked at for a passing reason, before or now, is no change:
 * nothing was seen that contradicts what was believed. Nor is it seen again: {@link mergeObservations} keeps it, and
 * what rests on it waits.
 *
 * @param before  All that was ever seen of the caller, see {@link mergeObservations}.
 */
export function compareObservations(
  before: Observation,
  after: Observation,
): readonly ObservationChange[] {
  const known = namesOf(before);
  const seen = namesOf(after);
  const changes: ObservationChange[] = [];
  for (const { type, value } of before.selectors) {
    if (seen.has(`${type}:${value}`)) continue;
    if (!isPassing(after.omitted, factOf({ type, value }))) {
      changes.push({ kind: "vanished", type, value });
    }
  }
  for (const { type, value } of after.selectors) {
    if (known.has(`${type}:${value}`)) continue;
    if (!isPassing(before.omitted, factOf({ type, value }))) {
      changes.push({ kind: "appeared", type, value });
    }
  }
  return changes;
}

/**
 * What is known of a caller after a look at which nothing changed: all that was ever seen of it. A fact that is omitted
 * now stays as it was, so that it can come back as the same only: otherwise a caller could become another program while
 * its digest is not to be had, and be believed from then on.
 */
export function mergeObservations(before: Observation, after: Observation): Observation {
  const seen = namesOf(after);
  const unseen = before.selectors.filter(({ type, value }) => !seen.has(`${type}:${value}`));
  return {
    ...after,
    selectors: sealSelectors([...after.selectors, ...unseen]),
    // What was never seen may appear once; nothing else may.
    omitted: after.omitted.filter(({ fact }) =>
      before.omitted.some((entry) => entry.fact === fact),
    ),
  };
}

function namesOf(observation: Observation): Set<string> {
  return new Set(observation.selectors.map(({ type, value }) => `${type}:${value}`));
}
