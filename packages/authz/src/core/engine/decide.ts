import type { CompiledPolicies } from "./compile.ts";
import type { EntitySource } from "./entities.ts";
import { Fault, type FaultKind } from "./fault.ts";
import { sideOf } from "./scope-index.ts";
import type { CedarRecord, EntityUid } from "./values.ts";

/** May this principal do this to that, in this context? */
export interface AuthzRequest {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly context: CedarRecord;
}

/** A policy whose evaluation erred. */
export interface PolicyFault {
  readonly policyId: string;
  readonly effect: "permit" | "forbid";
  readonly fault: FaultKind;
}

/** What Cedar answers, exactly. To enforce it, see {@link enforce}. */
export interface Decision {
  readonly decision: "allow" | "deny";
  /** The forbids that hold, else the permits that hold; empty: denied since nothing permits. Sorted. */
  readonly determining: readonly string[];
  /** The policies that erred, which Cedar skips; sorted by id. */
  readonly faults: readonly PolicyFault[];
}

/** A decision as it is acted on. */
export interface Verdict {
  readonly allowed: boolean;
  /**
   * A forbid erred. It may have been the one that forbids, so the answer is no whatever else permits, and somebody has
   * to be told.
   */
  readonly alarm: boolean;
  readonly decision: Decision;
}

/** Decides a request exactly as Cedar's authorizer does. Never throws for what policies do. */
export function decide(
  policies: CompiledPolicies,
  entities: EntitySource,
  request: AuthzRequest,
): Decision {
  const { principal, action, resource, context } = request;
  const scene = { principal, action, resource, context, entities };
  const sides = {
    principal: sideOf(principal, entities.find(principal.key)),
    action: sideOf(action, entities.find(action.key)),
    resource: sideOf(resource, entities.find(resource.key)),
  };
  const permits: string[] = [];
  const forbids: string[] = [];
  const faults: PolicyFault[] = [];
  policies.index.forEachMatch(sides, ({ policy: { id, effect }, holds }) => {
    try {
      if (holds(scene)) (effect === "permit" ? permits : forbids).push(id);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      faults.push({ policyId: id, effect, fault: error.kind });
    }
  });
  const decision = forbids.length === 0 && permits.length > 0 ? "allow" : "deny";
  const determining = forbids.length > 0 ? forbids : permits;
  if (determining.length > 1) determining.sort();
  if (faults.length > 1) faults.sort((a, b) => (a.policyId < b.policyId ? -1 : 1));
  return { decision, determining, faults };
}

/**
 * Turns a decision into what is done: an erring forbid denies and alarms, where Cedar would skip it. Kept apart from
 * {@link decide}, so that what is compared with Cedar is what Cedar defines.
 */
export function enforce(decision: Decision): Verdict {
  const alarm = decision.faults.some(({ effect }) => effect === "forbid");
  return { allowed: decision.decision === "allow" && !alarm, alarm, decision };
}
