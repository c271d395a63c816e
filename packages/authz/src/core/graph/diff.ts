import type { Entity } from "../engine/entities.ts";
import { meets, sideOf } from "../engine/scope-index.ts";
import { CedarRecord, type EntityUid, valueKey } from "../engine/values.ts";
import { actionOf } from "../model/entity-names.ts";
import type { Reachable } from "../model/model.ts";
import type { Access, AccessGraph } from "./access.ts";

/** Access that some principals gained, lost, or have under other conditions. */
export interface AccessChange {
  readonly kind: "gained" | "lost" | "changed";
  readonly principals: readonly EntityUid[];
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly before: Access;
  readonly after: Access;
}

/** Two states of a model. */
export interface DiffInput {
  readonly before: AccessGraph;
  readonly after: AccessGraph;
  /** What can be reached in either; a resource given twice counts once, with its first actions. */
  readonly reachables: readonly Reachable[];
}

/**
 * Access gained and lost between two states: exact over what is declared, conditional access with its conditions.
 *
 * Looks only at resources that a changed policy or a changed entity can touch, unless something changed that any
 * resource could hang on.
 */
export function diffAccess({ before, after, reachables }: DiffInput): readonly AccessChange[] {
  const touched = touchedResources(before, after);
  const classes = commonClasses(before, after);
  const changes: AccessChange[] = [];
  const seen = new Set<string>();
  for (const { resource, actions } of reachables) {
    if (seen.has(resource.key) || !touched(resource)) continue;
    seen.add(resource.key);
    for (const name of actions) {
      const action = actionOf(name);
      for (const principals of classes) {
        const [first] = principals;
        if (first === undefined) continue;
        const [was, is] = [before.can(first, action, resource), after.can(first, action, resource)];
        const kind = kindOf(was, is);
        if (kind !== undefined) {
          changes.push({ kind, principals, action, resource, before: was, after: is });
        }
      }
    }
  }
  return changes;
}

function kindOf(before: Access, after: Access): AccessChange["kind"] | undefined {
  if (before.kind === "deny") return after.kind === "deny" ? undefined : "gained";
  if (after.kind === "deny") return "lost";
  const isSame =
    before.kind === after.kind && before.conditions.join("\n") === after.conditions.join("\n");
  return isSame ? undefined : "changed";
}

/** A test of resources; true for all if an entity changed that is not itself reachable. */
function touchedResources(
  before: AccessGraph,
  after: AccessGraph,
): (resource: EntityUid) => boolean {
  const changed = changedPolicies(before, after);
  const entities = changedEntities(before, after);
  if (entities === "all") return () => true;
  const scopes = [before, after].map((graph) => ({
    entities: graph.parts.entities,
    constraints: changed.flatMap((id) => graph.policy(id)?.resource ?? []),
  }));
  return (resource) => {
    if (entities.has(resource.key)) return true;
    return scopes.some(({ entities: known, constraints }) => {
      const side = sideOf(resource, known.find(resource.key));
      return constraints.some((constraint) => meets(constraint, side));
    });
  };
}

function changedPolicies(before: AccessGraph, after: AccessGraph): readonly string[] {
  const [old, now] = [before.parts.policies, after.parts.policies];
  const changed: string[] = [];
  for (const [id, json] of now) {
    const was = old.get(id);
    if (was !== json && JSON.stringify(was) !== JSON.stringify(json)) changed.push(id);
  }
  for (const id of old.keys()) if (!now.has(id)) changed.push(id);
  return changed;
}

const RESOURCE = /^BF::(?:Route|Table|Topic)::/;

/** Keys of changed resources, or `all`: a group, a caller or a service can matter anywhere. */
function changedEntities(before: AccessGraph, after: AccessGraph): ReadonlySet<string> | "all" {
  const changed = new Set<string>();
  const [old, now] = [before.parts.entities, after.parts.entities];
  if (old === now) return changed;
  for (const [some, others] of [
    [old, now],
    [now, old],
  ] as const) {
    for (const entity of some.entities()) {
      const { key } = entity.uid;
      if (!isSameEntity(entity, others.find(key))) changed.add(key);
    }
  }
  return [...changed].every((key) => RESOURCE.test(key)) ? changed : "all";
}

function isSameEntity(a: Entity, b: Entity | undefined): boolean {
  if (a === b) return true;
  if (b === undefined) return false;
  return textOf(a) === textOf(b);
}

function textOf({ ancestors, attributes, tags }: Entity): string {
  return JSON.stringify([
    [...ancestors].toSorted(),
    valueKey(new CedarRecord(attributes)),
    valueKey(new CedarRecord(tags)),
  ]);
}

/** Principals of either state, those together that neither can tell apart. */
export function commonClasses(
  before: AccessGraph,
  after: AccessGraph,
): readonly (readonly EntityUid[])[] {
  const [old, now] = [numberIn(before), numberIn(after)];
  const all = new Map(
    [...before.parts.principals, ...after.parts.principals].map((uid) => [uid.key, uid]),
  );
  const together = new Map<string, EntityUid[]>();
  for (const uid of all.values()) {
    const number = `${old.get(uid.key) ?? "-"} ${now.get(uid.key) ?? "-"} `;
    // One who is known to one state only is a class alone: nothing says whom the other would put beside.
    const key = old.has(uid.key) && now.has(uid.key) ? number : number + uid.key;
    const members = together.get(key);
    if (members === undefined) together.set(key, [uid]);
    else members.push(uid);
  }
  return [...together.values()];
}

/** The number of the class of each principal, by key. */
function numberIn(graph: AccessGraph): ReadonlyMap<string, number> {
  const entries = graph
    .classes()
    .flatMap(({ members }, index) => members.map(({ key }) => [key, index] as const));
  return new Map(entries);
}
