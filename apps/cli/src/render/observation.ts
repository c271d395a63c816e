import {
  Grade,
  type ObservedProcess,
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

const PINNINGS: Readonly<Record<string, string>> = {
  pidfd: ", known by pidfd",
  proven: ", known by proof of its connection",
  unpinned: ", not pinned: known by its number only",
};

/** The process that was looked at, and how the agent knows that it is no other. */
export function processText({ pid, uid, gid, executable, pinning }: ObservedProcess): string {
  const known = PINNINGS[pinning] ?? "";
  return `process ${pid} (uid ${uid}, gid ${gid}${known}) ${executable}`.trim();
}
