import type {
  ObservedSelector,
  OmissionReason,
  OmittedFact,
  WorkloadFacts,
} from "@bonafide/plugin-api";
import { SELECTOR_GRADES, type SelectorKind } from "../core/grades.ts";

/** Kinds of `unix` selector. */
export type UnixKind = SelectorKind extends infer K
  ? K extends `unix:${infer Kind}`
    ? Kind
    : never
  : never;

/** One `unix` selector as an attestor's answer, with the grade of its kind. */
export function found(kind: UnixKind, value: string | number, source: string): WorkloadFacts {
  const grade = SELECTOR_GRADES[`unix:${kind}`];
  const selector: ObservedSelector = { type: "unix", value: `${kind}:${value}`, grade, source };
  return { selectors: [selector], omitted: [] };
}

/** One kind of `unix` selector that is missing, with the reason. */
export function missing(kind: UnixKind, reason: OmissionReason, text: string): WorkloadFacts {
  const omitted: OmittedFact = { fact: `unix:${kind}`, reason, text };
  return { selectors: [], omitted: [omitted] };
}

/** All of these together. */
export function together(facts: readonly WorkloadFacts[]): WorkloadFacts {
  return {
    selectors: facts.flatMap(({ selectors }) => selectors),
    omitted: facts.flatMap(({ omitted }) => omitted),
  };
}
