import { type CompiledPolicies, compilePolicies } from "../engine/compile.ts";
import { EMPTY_RECORD, type EntityStore } from "../engine/entities.ts";
import { Fault } from "../engine/fault.ts";
import { isJsonObject } from "../engine/json.ts";
import { type Condition, parsePolicy, type Policy } from "../engine/policy.ts";
import { sideOf } from "../engine/scope-index.ts";
import { CedarRecord, CedarSet, EntityUid, type Value, valueKey } from "../engine/values.ts";
import { entitiesIn, splitConditions } from "./conjuncts.ts";
import { printExpression } from "./print-expression.ts";

/** Whether somebody can do something, over all requests that could say so. */
export interface Access {
  /** `conditional`: it hangs on the request; see `conditions`. */
  readonly kind: "allow" | "deny" | "conditional";
  /** Policies that decide it, or could; sorted. */
  readonly policies: readonly string[];
  /** What has to hold of the request, for people; empty unless conditional. */
  readonly conditions: readonly string[];
}

/** Principals that no policy can tell apart. */
export interface PrincipalClass {
  readonly members: readonly EntityUid[];
}

/** What a graph is made of. */
export interface AccessGraphParts {
  /** In Cedar's JSON policy form, by id. */
  readonly policies: ReadonlyMap<string, unknown>;
  readonly entities: EntityStore;
  readonly principals: readonly EntityUid[];
}

const NO_ACCESS: Access = { kind: "deny", policies: [], conditions: [] };

/** Policies and entities, asked without a request at hand. Immutable. */
export class AccessGraph {
  readonly parts: AccessGraphParts;
  readonly #settled: CompiledPolicies;
  readonly #open = new Map<string, readonly string[]>();
  /** Of forbids and permits with one open condition, an `unless`: what it excepts. */
  readonly #excepted = new Map<string, string>();
  #classes: readonly PrincipalClass[] | undefined;

  /** @throws POLICY_MALFORMED, POLICY_UNSUPPORTED, POLICY_TOO_LARGE */
  constructor(parts: AccessGraphParts) {
    this.parts = parts;
    const settled = [...parts.policies].map(([id, json]): [string, unknown] => {
      const split = splitConditions(parsePolicy(id, json).conditions);
      if (split.open.length === 0) return [id, json];
      this.#open.set(id, split.open.map(printCondition));
      const [only, second] = split.open;
      if (only?.kind === "unless" && second === undefined) {
        this.#excepted.set(id, printExpression(only.body));
      }
      return [id, { ...(isJsonObject(json) ? json : {}), conditions: split.settled }];
    });
    this.#settled = compilePolicies(settled);
  }

  /** A policy, without its conditions on the request. */
  policy(id: string): Policy | undefined {
    return this.#settled.policy(id);
  }

  /**
   * Whether a principal can do something. Exact where no policy looks at the request; `allow` and `deny` hold for every
   * request, and a forbid that errs denies, as when enforced.
   */
  can(principal: EntityUid, action: EntityUid, resource: EntityUid): Access {
    const { entities } = this.parts;
    const scene = { principal, action, resource, context: EMPTY_RECORD, entities };
    const sides = {
      principal: sideOf(principal, entities.find(principal.key)),
      action: sideOf(action, entities.find(action.key)),
      resource: sideOf(resource, entities.find(resource.key)),
    };
    const sure: Record<Policy["effect"], string[]> = { permit: [], forbid: [] };
    const perhaps: Record<Policy["effect"], string[]> = { permit: [], forbid: [] };
    this.#settled.index.forEachMatch(sides, ({ policy: { id, effect }, holds }) => {
      const isOpen = this.#open.has(id);
      if (effect === "permit" ? permits(holds, scene) : forbids(holds, scene)) {
        (isOpen ? perhaps : sure)[effect].push(id);
      }
    });
    if (sure.forbid.length > 0) return { ...NO_ACCESS, policies: sure.forbid.toSorted() };
    if (sure.permit.length > 0 && perhaps.forbid.length === 0) {
      return { kind: "allow", policies: sure.permit.toSorted(), conditions: [] };
    }
    if (sure.permit.length === 0 && perhaps.permit.length === 0) return NO_ACCESS;
    const permitting = sure.permit.length > 0 ? sure.permit : perhaps.permit;
    return {
      kind: "conditional",
      policies: [...permitting, ...perhaps.forbid].toSorted(),
      conditions: [
        ...new Set([
          ...(sure.permit.length > 0 ? [] : [this.#anyOf(perhaps.permit)]),
          ...perhaps.forbid.toSorted().map((id) => this.#noneOf(id)),
        ]),
      ],
    };
  }

  /** The principals, those together that no policy can tell apart; each question needs one of them only. */
  classes(): readonly PrincipalClass[] {
    this.#classes ??= classesOf(this.parts);
    return this.#classes;
  }

  /** That a forbid does not hold. What it says with `unless` is said without two negations. */
  #noneOf(id: string): string {
    return this.#excepted.get(id) ?? `not (${this.#anyOf([id])})`;
  }

  #anyOf(ids: readonly string[]): string {
    return ids
      .toSorted()
      .map((id) => (this.#open.get(id) ?? []).join(" and "))
      .join(" or ");
  }
}

type Scene = {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly context: CedarRecord;
  readonly entities: EntityStore;
};

type Holds = (scene: Scene) => boolean;

function permits(holds: Holds, scene: Scene): boolean {
  return tryHolds(holds, scene) === true;
}

function forbids(holds: Holds, scene: Scene): boolean {
  return tryHolds(holds, scene) !== false;
}

function tryHolds(holds: Holds, scene: Scene): boolean | "errs" {
  try {
    return holds(scene);
  } catch (error) {
    if (error instanceof Fault) return "errs";
    throw error;
  }
}

function printCondition({ kind, body }: Condition): string {
  return kind === "when" ? printExpression(body) : `!(${printExpression(body)})`;
}

/**
 * Two principals are one class if they have the same type, attributes, tags, and the same among those groups and names
 * that anything mentions: a policy as a literal, or an entity as a value.
 */
function classesOf({
  policies,
  entities,
  principals,
}: AccessGraphParts): readonly PrincipalClass[] {
  const mentioned = new Set<string>();
  for (const json of policies.values()) entitiesIn(json, (key) => mentioned.add(key));
  for (const { attributes, tags } of entities.entities()) {
    for (const value of [...attributes.values(), ...tags.values()]) mention(value, mentioned);
  }
  const classes = new Map<string, EntityUid[]>();
  for (const principal of principals) {
    const entity = entities.find(principal.key);
    const groups = [principal.key, ...(entity?.ancestors ?? [])].filter((key) =>
      mentioned.has(key),
    );
    const key = JSON.stringify([
      principal.type,
      entity !== undefined,
      groups.toSorted(),
      valueKey(new CedarRecord(entity?.attributes ?? new Map())),
      valueKey(new CedarRecord(entity?.tags ?? new Map())),
    ]);
    const members = classes.get(key);
    if (members === undefined) classes.set(key, [principal]);
    else members.push(principal);
  }
  return [...classes.values()].map((members) => ({ members }));
}

function mention(value: Value, mentioned: Set<string>): void {
  if (value instanceof EntityUid) mentioned.add(value.key);
  else if (value instanceof CedarSet) for (const m of value.members.values()) mention(m, mentioned);
  else if (value instanceof CedarRecord) {
    for (const inner of value.attributes.values()) mention(inner, mentioned);
  }
}
