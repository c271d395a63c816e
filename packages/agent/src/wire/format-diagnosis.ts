import type { Grade, ObservedSelector, OmittedFact } from "@bonafide/plugin-api";
import {
  type CauseSchema,
  type DecisionSchema,
  Grade as WireGrade,
  type IdentitySchema,
  type NearestEntrySchema,
  type ObservedProcessSchema,
  type ObservedSelectorSchema,
  type OmittedFactSchema,
  Outcome,
  SelectorVerdict,
  type WantedSelectorSchema,
} from "@bonafide/proto/bonafide/agent/v1/diagnosis_pb";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Observation } from "../attestation/observation.ts";
import { type Entry, selectorText } from "../core/entry.ts";
import type { Cause } from "../core/why/causes.ts";
import type { Judged, NearestEntry } from "../core/why/nearest-entries.ts";
import { entryGrade } from "../core/worth.ts";
import type { CallingProcess, Decision } from "../decision/decision-log.ts";
import { formatEntry } from "./format-picture.ts";

const GRADES: Readonly<Record<Grade, WireGrade>> = {
  label: WireGrade.LABEL,
  user: WireGrade.USER,
  boundary: WireGrade.BOUNDARY,
};

/** Selectors with their grades. */
export function formatObserved(
  selectors: readonly ObservedSelector[],
): MessageInitShape<typeof ObservedSelectorSchema>[] {
  return selectors.map(({ type, value, grade, source }) => ({
    selector: { type, value },
    grade: GRADES[grade],
    source,
  }));
}

/** Facts that gave no selector. */
export function formatOmitted(
  omitted: readonly OmittedFact[],
): MessageInitShape<typeof OmittedFactSchema>[] {
  return omitted.map(({ fact, reason, text }) => ({ fact, reason, text }));
}

/** The identities that a caller with these selectors holds. */
export function formatIdentities(
  entries: readonly Entry[],
  observed: readonly ObservedSelector[],
  expiresAt: (entry: Entry) => number | undefined,
): MessageInitShape<typeof IdentitySchema>[] {
  return entries.map((entry) => ({
    spiffeId: entry.spiffeId,
    entryId: entry.id,
    hint: entry.hint,
    expiresAtMs: BigInt(expiresAt(entry) ?? 0),
    grade: GRADES[entryGrade(entry, observed)],
  }));
}

/** A decision without its reasons. */
export function formatDecision(decision: Decision): MessageInitShape<typeof DecisionSchema> {
  return {
    id: decision.id,
    timeMs: BigInt(decision.at),
    outcome: decision.outcome === "served" ? Outcome.SERVED : Outcome.REFUSED,
    method: decision.method,
  };
}

/** The process that was looked at. */
export function formatProcess(
  process: Observation | CallingProcess | undefined,
): MessageInitShape<typeof ObservedProcessSchema> | undefined {
  if (process === undefined) return undefined;
  const { pid, uid, gid, pin } = process;
  const executable = "executable" in process ? process.executable : undefined;
  return { pid, uid, gid, executable: executable ?? "", pinning: pin };
}

/** A cause for operators. */
export function formatCause(cause: Cause): MessageInitShape<typeof CauseSchema> {
  return { code: cause.code, text: cause.says, hint: cause.hint };
}

/** An entry that came near. */
export function formatNearest(near: NearestEntry): MessageInitShape<typeof NearestEntrySchema> {
  return { entry: formatEntry(near.entry), selectors: near.judged.map((each) => wanted(each)) };
}

function wanted(judged: Judged): MessageInitShape<typeof WantedSelectorSchema> {
  const { type, value } = judged.wanted;
  const selector = { type, value };
  switch (judged.kind) {
    case "present":
      return { selector, verdict: SelectorVerdict.PRESENT };
    case "near_miss":
    case "contradicted":
      return {
        selector,
        verdict: SelectorVerdict.CONTRADICTED,
        observed: judged.observed.map((each) => selectorText(each)).join(", "),
      };
    case "unknown_kind":
      return {
        selector,
        verdict: SelectorVerdict.NOT_OBSERVED,
        observed: `no such kind; nearest is ${judged.nearestKind}`,
      };
    case "not_observed":
      return {
        selector,
        verdict: SelectorVerdict.NOT_OBSERVED,
        observed: judged.omitted?.text ?? "",
      };
    default:
      return judged satisfies never;
  }
}
