import { isJsonArray, isJsonObject, isTypeName, readEntityUid } from "./json.ts";
import { malformed, unsupported } from "./refusals.ts";
import type { EntityUid } from "./values.ts";

/** What the scope of a policy asks of the principal, the action or the resource. */
export type ScopeConstraint =
  | { readonly op: "any" }
  | { readonly op: "equals"; readonly entity: EntityUid }
  /** In at least one of these. More than one only for actions. */
  | { readonly op: "in"; readonly entities: readonly EntityUid[] }
  | { readonly op: "is"; readonly type: string; readonly within: EntityUid | undefined };

/** A condition of a policy; the body is an expression of Cedar's JSON policy form. */
export interface Condition {
  readonly kind: "when" | "unless";
  readonly body: unknown;
}

/** A policy whose scope is read and whose conditions are not. */
export interface Policy {
  readonly id: string;
  readonly effect: "permit" | "forbid";
  readonly principal: ScopeConstraint;
  readonly action: ScopeConstraint;
  readonly resource: ScopeConstraint;
  readonly conditions: readonly Condition[];
  readonly annotations: ReadonlyMap<string, string>;
}

/**
 * Reads a policy of Cedar's JSON policy form.
 *
 * @throws POLICY_MALFORMED    not of that form
 * @throws POLICY_UNSUPPORTED  a template: it has slots
 */
export function parsePolicy(id: string, json: unknown): Policy {
  if (!isJsonObject(json)) throw malformed("a policy is no object");
  const { effect, conditions = [], annotations = {} } = json;
  if (effect !== "permit" && effect !== "forbid") throw malformed("a policy has no effect");
  if (!isJsonArray(conditions)) throw malformed("conditions are no list");
  if (!isJsonObject(annotations)) throw malformed("annotations are no object");
  return {
    id,
    effect,
    principal: readScope(json["principal"], false),
    action: readScope(json["action"], true),
    resource: readScope(json["resource"], false),
    conditions: conditions.map(readCondition),
    annotations: new Map(
      Object.entries(annotations).map(([name, value]) => [name, readAnnotation(value)]),
    ),
  };
}

function readAnnotation(json: unknown): string {
  if (typeof json === "string") return json;
  // `@id` without a value.
  if (json === null || json === undefined) return "";
  throw malformed("an annotation is no text");
}

function readCondition(json: unknown): Condition {
  const kind = isJsonObject(json) ? json["kind"] : undefined;
  if (!isJsonObject(json) || (kind !== "when" && kind !== "unless")) {
    throw malformed("a condition is neither when nor unless");
  }
  return { kind, body: json["body"] };
}

function readScope(json: unknown, isAction: boolean): ScopeConstraint {
  if (!isJsonObject(json)) throw malformed("a policy lacks a part of its scope");
  if ("slot" in json) throw unsupported("template");
  switch (json["op"]) {
    case "All":
      return { op: "any" };
    case "==":
      return { op: "equals", entity: readEntity(json["entity"]) };
    case "in": {
      const { entity, entities } = json;
      if (entities === undefined) return { op: "in", entities: [readEntity(entity)] };
      if (!isAction || !isJsonArray(entities)) throw malformed("in names no entities");
      return { op: "in", entities: entities.map(readEntity) };
    }
    case "is": {
      const { entity_type: type, in: within } = json;
      if (isAction || !isTypeName(type)) throw malformed("is names no entity type");
      if (within === undefined) return { op: "is", type, within: undefined };
      if (!isJsonObject(within)) throw malformed("is ... in names no entity");
      if ("slot" in within) throw unsupported("template");
      return { op: "is", type, within: readEntity(within["entity"]) };
    }
    default:
      throw malformed("a scope has an unknown operator");
  }
}

function readEntity(json: unknown): EntityUid {
  const uid = readEntityUid(json);
  if (uid === undefined) throw malformed("a scope names no entity");
  return uid;
}
