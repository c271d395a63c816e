import { BonafideError, isBonafideError } from "@bonafide/errors";
import { AUTHZ_ERRORS } from "../../errors.ts";
import { POLICIES_MAX } from "../../limits.ts";
import { compileExpression, type Evaluate, expressionBudget } from "./compile-expression.ts";
import { asBoolean } from "./operators.ts";
import { parsePolicy, type Policy } from "./policy.ts";
import { tooLarge } from "./refusals.ts";
import { ScopeIndex } from "./scope-index.ts";

/** A policy with its conditions as closures. */
export interface CompiledPolicy {
  readonly policy: Policy;
  /** Whether all conditions hold; throws one of the faults where Cedar's evaluation errs. */
  readonly holds: (scene: Parameters<Evaluate>[0]) => boolean;
}

/** Policies ready to decide; immutable. */
export interface CompiledPolicies {
  readonly size: number;
  /** The policy of an id, as it was given. */
  policy(id: string): Policy | undefined;
  /** All policies, in the order they were given. */
  policies(): Iterable<Policy>;
  /** The index that finds candidates. For {@link decide}. */
  readonly index: ScopeIndex;
}

/**
 * Compiles policies of Cedar's JSON policy form, by id. What cannot be evaluated exactly is refused here, never later.
 *
 * @throws POLICY_MALFORMED, POLICY_UNSUPPORTED, POLICY_TOO_LARGE  `details.policy` is the id
 */
export function compilePolicies(policies: Iterable<readonly [string, unknown]>): CompiledPolicies {
  const compiled = new Map<string, CompiledPolicy>();
  for (const [id, json] of policies) {
    if (compiled.has(id)) throw refused(id, "POLICY_MALFORMED", "is given twice");
    if (compiled.size >= POLICIES_MAX) throw tooLarge("too many policies");
    compiled.set(id, compileOne(id, json));
  }
  return {
    size: compiled.size,
    policy: (id) => compiled.get(id)?.policy,
    policies: () => [...compiled.values()].map(({ policy }) => policy),
    index: new ScopeIndex(compiled.values()),
  };
}

function compileOne(id: string, json: unknown): CompiledPolicy {
  try {
    const policy = parsePolicy(id, json);
    const budget = expressionBudget();
    const tests = policy.conditions.map(({ kind, body }) => ({
      run: compileExpression(body, budget),
      wanted: kind === "when",
    }));
    const [only] = tests;
    if (only === undefined) return { policy, holds: () => true };
    const { run, wanted } = only;
    if (tests.length === 1) return { policy, holds: (scene) => asBoolean(run(scene)) === wanted };
    return {
      policy,
      holds: (scene) => {
        for (const test of tests) if (asBoolean(test.run(scene)) !== test.wanted) return false;
        return true;
      },
    };
  } catch (error) {
    if (!isBonafideError(error)) throw error;
    const code = error.code;
    if (code in AUTHZ_ERRORS) throw refused(id, knownCode(code), error.message, error);
    throw error;
  }
}

function knownCode(code: string): "POLICY_MALFORMED" | "POLICY_UNSUPPORTED" | "POLICY_TOO_LARGE" {
  if (code === "POLICY_UNSUPPORTED" || code === "POLICY_TOO_LARGE") return code;
  return "POLICY_MALFORMED";
}

function refused(
  id: string,
  code: ReturnType<typeof knownCode>,
  message: string,
  cause?: unknown,
): BonafideError {
  const policy = id.slice(0, 200);
  return new BonafideError(AUTHZ_ERRORS, code, `policy ${policy}: ${message}`, {
    cause,
    details: { policy },
  });
}
