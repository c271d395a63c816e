import type {
  Grade,
  ObservedSelector,
  OmissionReason,
  OmittedFact,
  WorkloadFacts,
} from "@bonafide/plugin-api";

/** One `unix` selector as an attestor's answer. */
export function found(value: string, grade: Grade, source: string): WorkloadFacts {
  const selector: ObservedSelector = { type: "unix", value, grade, source };
  return { selectors: [selector], omitted: [] };
}

/** One kind of `unix` selector that is missing, with the reason. */
export function missing(kind: string, reason: OmissionReason, text: string): WorkloadFacts {
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
