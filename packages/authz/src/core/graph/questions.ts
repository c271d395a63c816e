import { compileExpression, expressionBudget, type Scene } from "../engine/compile-expression.ts";
import { compilePolicies } from "../engine/compile.ts";
import { type AuthzRequest, decide, enforce, type Verdict } from "../engine/decide.ts";
import type { EntitySource } from "../engine/entities.ts";
import { Fault, type FaultKind } from "../engine/fault.ts";
import { asBoolean } from "../engine/operators.ts";
import { type Condition, parsePolicy } from "../engine/policy.ts";
import { meets, sideOf } from "../engine/scope-index.ts";
import type { EntityUid } from "../engine/values.ts";
import { actionOf } from "../model/entity-names.ts";
import type { Reachable } from "../model/model.ts";
import type { Access, AccessGraph } from "./access.ts";
import { conjunctsOf } from "./conjuncts.ts";
import { printExpression } from "./print-expression.ts";

/** Principals with the access they share. */
export interface WhoCan {
  readonly principals: readonly EntityUid[];
  readonly access: Access;
}

/** One thing that somebody can do. */
export interface Reach {
  readonly resource: EntityUid;
  readonly action: EntityUid;
  readonly access: Access;
}

/** Everybody who can do something, at least under conditions. */
export function whoCan(
  graph: AccessGraph,
  action: EntityUid,
  resource: EntityUid,
): readonly WhoCan[] {
  return graph.classes().flatMap(({ members }) => {
    const [first] = members;
    if (first === undefined) return [];
    const access = graph.can(first, action, resource);
    return access.kind === "deny" ? [] : [{ principals: members, access }];
  });
}

/** All that somebody can do, at least under conditions. */
export function reach(
  graph: AccessGraph,
  principal: EntityUid,
  reachables: readonly Reachable[],
): readonly Reach[] {
  return reachables.flatMap(({ resource, actions }) =>
    actions.flatMap((name) => {
      const action = actionOf(name);
      const access = graph.can(principal, action, resource);
      return access.kind === "deny" ? [] : [{ resource, action, access }];
    }),
  );
}

/** What one policy had to do with a decision. */
export interface PolicyAccount {
  readonly policyId: string;
  readonly effect: "permit" | "forbid";
  readonly outcome: "holds" | "fails" | "errs" | "other-principal" | "other-action";
  /** The first condition that failed or erred, for people. */
  readonly condition: string | undefined;
  readonly fault: FaultKind | undefined;
}

/** A decision with the account of each policy about the resource. */
export interface Explanation {
  readonly verdict: Verdict;
  readonly accounts: readonly PolicyAccount[];
}

/**
 * Decides again and says why, also by what other policies about the resource asked for. Given what a decision was made
 * of, it replays it: the same policies, entities and request have the same answer.
 */
export function why(
  policies: ReadonlyMap<string, unknown>,
  entities: EntitySource,
  request: AuthzRequest,
): Explanation {
  const { principal, action, resource } = request;
  const scene = { ...request, entities };
  const [who, what, which] = [principal, action, resource].map((uid) =>
    sideOf(uid, entities.find(uid.key)),
  );
  const accounts: PolicyAccount[] = [];
  const verdict = enforce(decide(compilePolicies(policies), entities, request));
  for (const [id, json] of policies) {
    const policy = parsePolicy(id, json);
    if (which === undefined || !meets(policy.resource, which)) continue;
    const account = { policyId: id, effect: policy.effect, condition: undefined, fault: undefined };
    if (what === undefined || !meets(policy.action, what)) {
      accounts.push({ ...account, outcome: "other-action" });
    } else if (who === undefined || !meets(policy.principal, who)) {
      accounts.push({ ...account, outcome: "other-principal" });
    } else accounts.push({ ...account, ...judge(policy.conditions, scene) });
  }
  return { verdict, accounts };
}

type Judgement = Pick<PolicyAccount, "outcome" | "condition" | "fault">;

/** One condition by one, in their order, to name the first that does not hold. */
function judge(conditions: readonly Condition[], scene: Scene): Judgement {
  for (const { kind, body } of conjunctsOf(conditions)) {
    const text = printExpression(body);
    const condition = kind === "when" ? text : `!(${text})`;
    try {
      const held = asBoolean(compileExpression(body, expressionBudget())(scene));
      if (held !== (kind === "when")) return { outcome: "fails", condition, fault: undefined };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { outcome: "errs", condition, fault: error.kind };
    }
  }
  return { outcome: "holds", condition: undefined, fault: undefined };
}
