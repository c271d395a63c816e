import type { OmittedFact } from "@bonafide/plugin-api";
import { compareEntries, type Entry, type Selector, selectorText } from "../entry.ts";
import { nearestKind, nearMiss, type NearMiss, selectorKind } from "./near.ts";

/** How one wanted selector stands against what was observed. */
export type Judged =
  | { readonly kind: "present"; readonly wanted: Selector }
  | {
      readonly kind: "near_miss";
      readonly wanted: Selector;
      readonly near: NearMiss;
      /** Values of the kind that were observed instead. */
      readonly observed: readonly Selector[];
    }
  | {
      readonly kind: "contradicted";
      readonly wanted: Selector;
      readonly observed: readonly Selector[];
    }
  | { readonly kind: "unknown_kind"; readonly wanted: Selector; readonly nearestKind: string }
  | {
      readonly kind: "not_observed";
      readonly wanted: Selector;
      /** Why the fact is not there, where the attestor said so. */
      readonly omitted?: OmittedFact;
    };

/** An entry and how far the caller is from it. */
export interface NearestEntry {
  readonly entry: Entry;
  readonly judged: readonly Judged[];
  /** How many wanted selectors do not hold. */
  readonly missing: number;
}

/** What the entries are compared with. */
export interface Observation {
  readonly selectors: readonly Selector[];
  readonly omitted: readonly OmittedFact[];
}

/** Compares one entry with what was observed, selector by selector. */
export function judgeEntry(entry: Entry, observation: Observation): NearestEntry {
  const judged = entry.selectors.map((wanted) => judgeSelector(wanted, observation));
  return { entry, judged, missing: judged.filter(({ kind }) => kind !== "present").length };
}

function judgeSelector(wanted: Selector, observation: Observation): Judged {
  const text = selectorText(wanted);
  if (observation.selectors.some((selector) => selectorText(selector) === text)) {
    return { kind: "present", wanted };
  }
  const kind = selectorKind(wanted);
  const meant = nearestKind(wanted);
  if (meant !== undefined) return { kind: "unknown_kind", wanted, nearestKind: meant };
  const observed = observation.selectors.filter((selector) => selectorKind(selector) === kind);
  const near = nearMiss(wanted, observation.selectors);
  if (near !== undefined) return { kind: "near_miss", wanted, near, observed };
  if (observed.length > 0) return { kind: "contradicted", wanted, observed };
  const omitted = observation.omitted.find(({ fact }) => fact === kind);
  return { kind: "not_observed", wanted, ...(omitted === undefined ? {} : { omitted }) };
}

/** How telling a missing selector is, best first, where two entries miss as many. */
const TELLING: Readonly<Record<Judged["kind"], number>> = {
  near_miss: 0,
  unknown_kind: 1,
  contradicted: 2,
  not_observed: 3,
  present: 4,
};

/** Nearest first: fewest missing selectors, most present ones, most telling miss, oldest. */
export function compareNearest(a: NearestEntry, b: NearestEntry): number {
  return (
    a.missing - b.missing ||
    present(b) - present(a) ||
    telling(a) - telling(b) ||
    compareEntries(a.entry, b.entry)
  );
}

/** Whether anything links the entry to this caller; entries of other programs mostly have nothing. */
export function isRelated(near: NearestEntry): boolean {
  return near.judged.some(
    ({ kind, ...judged }) =>
      kind === "present" ||
      kind === "near_miss" ||
      kind === "unknown_kind" ||
      kind === "contradicted" ||
      "omitted" in judged,
  );
}

function present(near: NearestEntry): number {
  return near.judged.length - near.missing;
}

function telling(near: NearestEntry): number {
  return Math.min(...near.judged.map(({ kind }) => TELLING[kind]), TELLING.present);
}
