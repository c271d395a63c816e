import {
  Grade,
  type ObservedSelector,
  type OmittedFact,
} from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";

const GRADES: Readonly<Record<number, string>> = {
  [Grade.BOUNDARY]: "boundary",
  [Grade.USER]: "user",
  [Grade.LABEL]: "label",
};

/** What a grade is called: `boundary`, `user` or `label`. */
export function gradeText(grade: Grade): string {
  return GRADES[grade] ?? "unknown";
}

/** Observed selectors with their grades, and what could not be observed with the reason, a line each. */
export function observedText(
  observed: readonly ObservedSelector[],
  omitted: readonly OmittedFact[],
): readonly string[] {
  return [
    ...observed.map(
      ({ selector, grade }) =>
        `  ${gradeText(grade).padEnd(8)}  ${selector?.type ?? ""}:${selector?.value ?? ""}`,
    ),
    ...omitted.map(({ fact, reason, text }) => `  omitted   ${fact}: ${text} (${reason})`),
  ];
}
