export { type CompiledPolicies, compilePolicies } from "./core/engine/compile.ts";
export {
  type AuthzRequest,
  decide,
  type Decision,
  enforce,
  type PolicyFault,
  type Verdict,
} from "./core/engine/decide.ts";
export {
  EMPTY_RECORD,
  type Entity,
  type EntityInput,
  type EntitySource,
  EntityStore,
  parseEntities,
} from "./core/engine/entities.ts";
export type { FaultKind } from "./core/engine/fault.ts";
export { parseRecord, parseValue } from "./core/engine/json.ts";
export {
  type Condition,
  parsePolicy,
  type Policy,
  type ScopeConstraint,
} from "./core/engine/policy.ts";
export { CedarRecord, CedarSet, EntityUid, type Value } from "./core/engine/values.ts";
export { AUTHZ_ERRORS, type AuthzErrorCode } from "./errors.ts";
