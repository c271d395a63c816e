import { type Decision, enforce } from "../engine/decide.ts";
import type { DecisionReason } from "./decision-record.ts";

/** The reason of what policies said about one principal. */
export function reasonOf(decision: Decision): DecisionReason {
  const { allowed, alarm } = enforce(decision);
  if (allowed) return "permitted";
  if (decision.decision === "deny" && decision.determining.length > 0) return "forbidden";
  return alarm ? "policy_erred" : "no_permit";
}

/** The first reason that stands in the way of a call that several principals make together. */
export function firstRefusal(reasons: readonly DecisionReason[]): DecisionReason {
  return reasons.find((reason) => reason !== "permitted") ?? "permitted";
}
