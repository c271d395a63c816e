import type { CompiledPolicy } from "./compile.ts";
import type { Entity } from "./entities.ts";
import type { ScopeConstraint } from "./policy.ts";
import type { EntityUid } from "./values.ts";

/** One side of a request: an entity, and its ancestors where they are known. */
export interface Side {
  readonly uid: EntityUid;
  readonly ancestors: ReadonlySet<string>;
  /** The buckets that can hold policies about it: any, its type, itself and each ancestor. */
  readonly keys: readonly string[];
}

/** A policy in one bucket. */
interface Entry {
  readonly compiled: CompiledPolicy;
  /** The action key of the bucket that holds it. */
  readonly actionKey: string;
}

type Bucket = Map<string, Map<string, Entry[]>>;

const ANY = "*";
const NONE: ReadonlySet<string> = new Set();

/** Makes a side of a request. */
export function sideOf(uid: EntityUid, entity: Entity | undefined): Side {
  const ancestors = entity?.ancestors ?? NONE;
  return { uid, ancestors, keys: [ANY, typeKey(uid.type), uid.key, ...ancestors] };
}

/**
 * Finds the policies whose scope a request can meet, by resource, then action, then principal: most policies name the
 * resource, so most are never looked at.
 */
export class ScopeIndex {
  readonly #buckets = new Map<string, Bucket>();

  constructor(policies: Iterable<CompiledPolicy>) {
    for (const compiled of policies) this.#add(compiled);
  }

  /** Calls `visit` once for each policy whose scope holds. */
  forEachMatch(
    { principal, action, resource }: Readonly<Record<"principal" | "action" | "resource", Side>>,
    visit: (compiled: CompiledPolicy) => void,
  ): void {
    for (const resourceKey of resource.keys) {
      const byAction = this.#buckets.get(resourceKey);
      if (byAction === undefined) continue;
      for (const actionKey of action.keys) {
        const byPrincipal = byAction.get(actionKey);
        if (byPrincipal === undefined) continue;
        for (const principalKey of principal.keys) {
          const entries = byPrincipal.get(principalKey);
          if (entries === undefined) continue;
          for (const { compiled, actionKey: own } of entries) {
            const { policy } = compiled;
            if (
              meets(policy.principal, principal) &&
              meets(policy.resource, resource) &&
              meetsFirst(policy.action, action, own)
            ) {
              visit(compiled);
            }
          }
        }
      }
    }
  }

  #add(compiled: CompiledPolicy): void {
    const { principal, action, resource } = compiled.policy;
    const byAction = at(this.#buckets, keysOf(resource)[0] ?? ANY, () => new Map());
    for (const actionKey of new Set(keysOf(action))) {
      const byPrincipal: Map<string, Entry[]> = at(byAction, actionKey, () => new Map());
      const entries: Entry[] = at(byPrincipal, keysOf(principal)[0] ?? ANY, () => []);
      entries.push({ compiled, actionKey });
    }
  }
}

/** Whether an entity meets a constraint of a scope. */
export function meets(constraint: ScopeConstraint, { uid, ancestors }: Side): boolean {
  switch (constraint.op) {
    case "any":
      return true;
    case "equals":
      return uid.key === constraint.entity.key;
    case "in":
      return constraint.entities.some(({ key }) => key === uid.key || ancestors.has(key));
    default:
      return (
        uid.type === constraint.type &&
        (constraint.within === undefined ||
          constraint.within.key === uid.key ||
          ancestors.has(constraint.within.key))
      );
  }
}

/** A policy about several actions stands in several buckets; it counts in the first that the request reaches. */
function meetsFirst(constraint: ScopeConstraint, side: Side, bucket: string): boolean {
  if (constraint.op !== "in" || constraint.entities.length < 2) return meets(constraint, side);
  const first = constraint.entities.find(
    ({ key }) => key === side.uid.key || side.ancestors.has(key),
  );
  return first?.key === bucket;
}

/** The keys of the buckets that a constraint belongs to: one, or for actions several. */
export function keysOf(constraint: ScopeConstraint): readonly string[] {
  switch (constraint.op) {
    case "any":
      return [ANY];
    case "equals":
      return [constraint.entity.key];
    case "in":
      return constraint.entities.map(({ key }) => key);
    default:
      return [constraint.within?.key ?? typeKey(constraint.type)];
  }
}

/** No key of an entity lacks a quote, so none looks like this. */
function typeKey(type: string): string {
  return `is ${type}`;
}

function at<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
